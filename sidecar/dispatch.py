"""The platform's commands: taken in order, each once, carried out one after the other, and reported."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sidecar import log
from sidecar.protocol import frames, stream

KEPT_REFUSALS = 32

_log = log.get(__name__)


class Refusal(Exception):
    """A command that cannot be carried out; the message is a code, or words after one."""


@dataclass(frozen=True)
class Verb:
    """What a command's data is, and what carries it out: Refusal says that it cannot be."""

    data: type[msgspec.Struct]
    carry_out: Callable[[Any], Awaitable[None]]


class Dispatch:
    """The queue of commands. `on_done` hears of each number when it is settled."""

    def __init__(
        self,
        verbs: Mapping[str, Verb],
        *,
        send: Callable[[frames.CommandDone], None],
        on_done: Callable[[int], None] = lambda _number: None,
    ) -> None:
        self._verbs = verbs
        self._send = send
        self._on_done = on_done
        self._incoming = stream.Incoming()
        self._waiting: asyncio.Queue[frames.Command] = asyncio.Queue()
        self._done = 0
        self._refusals: deque[frames.CommandDone] = deque(maxlen=KEPT_REFUSALS)

    @property
    def last_command(self) -> int:
        """The number of the newest command that this side holds."""
        return self._incoming.last

    def receive(self, commands: list[frames.Command]) -> None:
        """Queue what is new. stream.Gap when a command before it is missing."""
        for command in commands:
            if self._incoming.accept(command.number):
                self._waiting.put_nowait(command)

    def reports(self) -> list[frames.CommandDone]:
        """What to say again on a new connection: how far we are, and what was refused lately."""
        return [*self._refusals, frames.CommandDone(number=self._done)] if self._done else []

    async def run(self) -> None:
        """Carry out commands for ever."""
        while True:
            command = await self._waiting.get()
            report = frames.CommandDone(number=command.number, error=await self._carry_out(command))
            self._done = command.number
            self._on_done(command.number)
            if report.error:
                self._refusals.append(report)
            self._send(report)

    async def _carry_out(self, command: frames.Command) -> str:
        """Empty, or why not."""
        verb = self._verbs.get(command.verb)
        try:
            if verb is None:
                raise Refusal("unknown_verb")
            await verb.carry_out(msgspec.convert(command.data, verb.data))
        except Refusal as refusal:
            _log.warning(
                "command refused", verb=command.verb[:40], number=command.number, reason=str(refusal)
            )
            # It may quote what the agent said, which may quote what it has.
            return log.redact(str(refusal))
        except msgspec.ValidationError:
            _log.warning("malformed command", verb=command.verb[:40], number=command.number)
            return "malformed"
        _log.info("command carried out", verb=command.verb, number=command.number)
        return ""
