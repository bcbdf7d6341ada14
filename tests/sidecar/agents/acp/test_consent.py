"""What agents ask and nobody can answer any more: it is told, and an answer that comes late is refused."""

from __future__ import annotations

import asyncio

import pytest

from sidecar.agents.acp.consent import Consent
from sidecar.agents.acp.toolcalls import ToolCalls
from sidecar.agents.base import AgentEvent, EventQueue, UnknownPermission
from sidecar.agents.policy import Policy
from sidecar.agents.turns import Turns
from sidecar.protocol.frames import PermissionAnswer

WORKSPACE = "/workspace"
OPTIONS = [{"kind": "allow_once", "optionId": "yes"}, {"kind": "reject_once", "optionId": "no"}]


class Asking:
    """An open turn whose agent asks for commands."""

    def __init__(self) -> None:
        self.queue = EventQueue()
        self.turns = Turns(self.queue)
        self.turns.begin("turn")
        self.consent = Consent(self.turns, Policy(), WORKSPACE)
        self._calls = ToolCalls(self.turns.emit, WORKSPACE, "turn")

    async def ask(self, command: str) -> tuple[str, asyncio.Task[dict[str, object]]]:
        """The id of what is asked, and the agent that waits for it."""
        given = {"toolCallId": command, "kind": "execute", "rawInput": {"command": command}}
        call = self._calls.update(given, name="", parent="")
        assert call is not None
        waiting = asyncio.create_task(self.consent.permission(call, OPTIONS, self._calls))
        event = await self.told("permission.asked")
        return event.data.permission_id, waiting  # type: ignore[attr-defined]

    async def told(self, kind: str) -> AgentEvent:
        """The next event of this kind."""
        async with asyncio.timeout(5):
            while (event := await anext(self.queue.read())).kind != kind:
                pass
        return event


async def test_an_answer_to_what_was_dismissed_comes_too_late() -> None:
    asking = Asking()
    asked, waiting = await asking.ask("make")
    asking.consent.dismiss()
    with pytest.raises(UnknownPermission):
        asking.consent.decide(PermissionAnswer(permission_id=asked, choice="once"))
    assert await waiting == {"outcome": {"outcome": "cancelled"}}


async def test_what_is_dismissed_while_the_turn_goes_on_is_told_to_be_lost() -> None:
    asking = Asking()
    first, _ = await asking.ask("make")
    second, _ = await asking.ask("make install")
    asking.consent.decide(PermissionAnswer(permission_id=first, choice="reject", message="not now"))
    asking.consent.dismiss()
    told = await asking.told("permission.answered")
    assert (told.data.permission_id, told.data.choice) == (second, "lost")  # type: ignore[attr-defined]
