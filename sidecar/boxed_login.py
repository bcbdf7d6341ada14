"""The login of a plan that works inside of the box only: who may take it there, and what ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sidecar import ending, log
from sidecar.agents.base import AgentStartFailed
from sidecar.ending import Ending, Exit
from sidecar.gate.models import KeyUnavailable
from sidecar.protocol.frames import SessionClaim
from sidecar.protocol.upstream import enters_box

KEY_SECONDS = 20.0


def of(
    claim: SessionClaim, key: Callable[[str], Awaitable[str]], hide: Callable[[str], None]
) -> Callable[[], Awaitable[str]] | None:
    """What gives an agent its login for one start, None for one whose login stays outside.

    From then on the box has it, whatever is forgotten here: `hide` and the logs hear of it for good.
    It raises AgentStartFailed. Under a budget there is none: calls with it do not come through the gate.
    """
    provider = claim.provider
    if not enters_box(provider):
        return None

    async def give() -> str:
        if claim.budgeted:
            raise AgentStartFailed(
                f"A budget binds this session, and what is used with {provider.name} is not counted. "
                "Choose another provider for it."
            )
        try:
            async with asyncio.timeout(KEY_SECONDS):
                login = await key(provider.id)
        except KeyUnavailable as error:
            raise AgentStartFailed(error.message) from error
        except TimeoutError as error:
            raise AgentStartFailed("Its login has not arrived. Try again.") from error
        log.hide(login)
        hide(login)
        return login

    return give


def revoked(claim: SessionClaim) -> Ending | None:
    """The login was replaced or deleted: the box that has it has to end, None for one that has it not."""
    if not enters_box(claim.provider):
        return None
    words = f"The login for {claim.provider.name} was replaced or deleted, so the box that had it was ended."
    return ending.failed(Exit.AGENT_ENDED, "key_missing", words)
