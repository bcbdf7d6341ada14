"""Looks after the open turn: one that OpenCode has forgotten, has not taken up, or never ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog

from sidecar.agents.base import EventQueue
from sidecar.agents.failures import failure
from sidecar.agents.opencode.client import Refused, Unreachable
from sidecar.agents.opencode.conversation import Conversation
from sidecar.agents.opencode.host import Host
from sidecar.agents.turns import Turns
from sidecar.protocol.messages import ErrorData

log = structlog.get_logger(__name__)

TAKE_UP_SECONDS = 60.0
QUIET_SECONDS = 20.0
FAILED_SECONDS = 5.0
LOOK_SECONDS = 1.0
LEFT_SECONDS = 3.0
"""A prompt that OpenCode works on shows within milliseconds; a busy machine may stand still for a second."""


@dataclass
class Given:
    """The prompt of a turn."""

    turn: str
    prompt: dict[str, Any]
    again: bool = False


class Watch:
    """`give_up` ends a turn whose server does not do what it must, and the server with it."""

    def __init__(
        self,
        host: Host,
        conversation: Conversation,
        turns: Turns,
        queue: EventQueue,
        *,
        give_up: Callable[[str, ErrorData | None], Awaitable[None]],
    ) -> None:
        self.gives_again = False
        """Whether the prompt has been given again a moment ago: an abort may come too early for it."""
        self._host = host
        self._conversation = conversation
        self._turns = turns
        self._queue = queue
        self._give_up = give_up
        self._given: Given | None = None
        self._looked = 0.0

    def gave(self, turn: str, prompt: dict[str, Any]) -> None:
        """The prompt of `turn` has gone out, or is about to."""
        self._given, self.gives_again = Given(turn, prompt), False

    def has(self, turn: str) -> bool:
        """Whether the prompt of `turn` has gone out, or is about to."""
        return self._given is not None and self._given.turn == turn

    async def run(self, hang_seconds: float) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(min(LOOK_SECONDS, hang_seconds / 4))
            self.gives_again = False
            given = self._given
            if given is not None and self._turns.current == given.turn:
                await self._look(given, hang_seconds)

    async def _look(self, given: Given, hang_seconds: float) -> None:
        conversation = self._conversation
        if self._queue.is_full or conversation.is_patient:
            self._turns.sign()
        silent = self._turns.silent_seconds()
        self._looked = min(self._looked, silent)
        if (in_vain := conversation.given_up) is not None:
            await self._give_up(given.turn, in_vain)
        elif silent > FAILED_SECONDS and conversation.is_refused:
            conversation.end()
        elif silent > hang_seconds:
            await self._give_up(given.turn, failure("agent_hang"))
        elif silent > TAKE_UP_SECONDS and not conversation.is_answering:
            await self._give_up(given.turn, failure("agent_hang", "It did not take up the prompt."))
        elif silent > LEFT_SECONDS and conversation.left:
            await self._remind(given)
        elif silent - self._looked > (FAILED_SECONDS if conversation.has_failed else QUIET_SECONDS):
            self._looked = silent
            with contextlib.suppress(Unreachable, Refused):
                await self._host.catch_up()

    async def _remind(self, given: Given) -> None:
        """Give the prompt again, once, if OpenCode itself says that it does nothing with it."""
        with contextlib.suppress(Unreachable, Refused):
            await self._host.catch_up()
            message = self._conversation.left
            if self._turns.current != given.turn or not message:
                return
            if given.again:
                await self._give_up(given.turn, failure("agent_hang", "It took the prompt and did nothing."))
                return
            given.again = self.gives_again = True
            log.warning("opencode.given_again")
            await self._host.give_again(given.prompt, message)
