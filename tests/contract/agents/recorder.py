"""Reads an agent's events as the sidecar does, and checks on every one of them what must always hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from sidecar.agents.base import Agent, AgentEvent
from sidecar.protocol.frames import PermissionAnswer
from sidecar.protocol.messages import (
    DELTA_KINDS,
    Data,
    ErrorData,
    PermissionAsked,
    TextDelta,
    TextDone,
    ToolOutput,
    ToolUpsert,
    TurnEnded,
    check_data,
    to_data,
)

Answer = Callable[[PermissionAsked], PermissionAnswer | None]


@dataclass
class Tool:
    """A tool call as its upserts add up."""

    fields: dict[str, Any] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=list)
    output: str = ""

    def __getattr__(self, name: str) -> Any:
        return self.fields.get(name)


class Turn:
    """One turn as its events tell it."""

    def __init__(self, turn: str) -> None:
        self.id = turn
        self.events: list[AgentEvent] = []
        self.parts: dict[str, tuple[str, str, str]] = {}
        self.done: dict[str, int] = {}
        self.tools: dict[str, Tool] = {}
        self.ended: TurnEnded | None = None

    def take(self, event: AgentEvent) -> None:
        """Add an event. AssertionError for one that may not come."""
        assert self.ended is None, f"{event.kind} after the turn's end"
        self.events.append(event)
        match event.data:
            case TextDelta() as delta:
                kind, text, parent = self.parts.get(
                    delta.part_id, (event.kind, "", delta.parent_tool_call_id)
                )
                assert delta.offset == len(text), "a delta that leaves a gap or repeats"
                assert delta.part_id not in self.done, "a delta after the part's end"
                self.parts[delta.part_id] = (kind, text + delta.text, parent)
            case TextDone() as done:
                assert done.part_id not in self.done, "two ends of one part"
                assert done.length == len(self.parts.get(done.part_id, ("", "", ""))[1])
                self.done[done.part_id] = done.length
            case ToolUpsert() as upsert:
                self._upsert(upsert)
            case ToolOutput() as output:
                tool = self.tools[output.tool_call_id]
                assert output.offset == len(tool.output), "output that leaves a gap or repeats"
                tool.output += output.text
            case TurnEnded() as ended:
                self.ended = ended
                assert self.done.keys() >= self.parts.keys(), "a part without an end"
                assert all(tool.status not in ("pending", "in_progress") for tool in self.tools.values())

    def _upsert(self, upsert: ToolUpsert) -> None:
        tool = self.tools.setdefault(upsert.tool_call_id, Tool())
        news = {name: value for name, value in to_data(upsert).items() if name != "tool_call_id"}
        assert tool.fields or upsert.name, "the first news of a tool call names it"
        tool.fields.update(news)
        if upsert.status is not None:
            tool.statuses.append(upsert.status)

    @property
    def text(self) -> str:
        """All that the main agent said."""
        return "".join(
            text for kind, text, parent in self.parts.values() if kind == "message.delta" and not parent
        )

    @property
    def thoughts(self) -> str:
        return "".join(text for kind, text, _ in self.parts.values() if kind == "thought.delta")

    @property
    def stop_reason(self) -> str:
        assert self.ended is not None, "the turn has not ended"
        return self.ended.stop_reason

    @property
    def error(self) -> ErrorData | None:
        return self.ended.error if self.ended else None

    def of(self, kind: str) -> list[Any]:
        """The data of all events of `kind`."""
        return [event.data for event in self.events if event.kind == kind]

    def tool(self, tool_kind: str) -> Tool:
        """The only tool call of this kind."""
        found = [tool for tool in self.tools.values() if tool.tool_kind == tool_kind]
        assert len(found) == 1, f"{len(found)} calls of kind {tool_kind}"
        return found[0]


class Recorder:
    """Drives an agent and keeps what it says, turn by turn."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.events: list[AgentEvent] = []
        self.turns: dict[str, Turn] = {}
        self.broken: AssertionError | None = None
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self.agent.events():
            async with self._news:
                try:
                    self._take(event)
                except AssertionError as error:
                    self.broken = self.broken or error
                self._news.notify_all()

    def _take(self, event: AgentEvent) -> None:
        check_data(event.kind, to_data(event.data))
        assert event.turn is not None or event.kind not in DELTA_KINDS, f"{event.kind} without a turn"
        self.events.append(event)
        if event.turn is not None:
            assert event.turn in self.turns, "an event of a turn that is not open"
            self.turns[event.turn].take(event)

    async def prompt(self, text: str, *, model: str = "", mode: str = "") -> Turn:
        """Open a turn."""
        turn = Turn(str(uuid4()))
        self.turns[turn.id] = turn
        await self.agent.prompt(turn.id, text, model=model, mode=mode)
        return turn

    async def run(self, text: str, answer: Answer | None = None, *, model: str = "", mode: str = "") -> Turn:
        """A whole turn in which `answer` decides on what is asked."""
        turn = await self.prompt(text, model=model, mode=mode)
        return await self.finish(turn, answer)

    async def finish(self, turn: Turn, answer: Answer | None = None, *, seconds: float = 90.0) -> Turn:
        """Wait for the end of `turn`."""
        seen: set[str] = set()

        def unseen() -> list[PermissionAsked]:
            return [asked for asked in turn.of("permission.asked") if asked.permission_id not in seen]

        async with asyncio.timeout(seconds):
            while turn.ended is None:
                for asked in unseen():
                    seen.add(asked.permission_id)
                    decision = answer(asked) if answer else None
                    if decision is not None:
                        await self.agent.answer(decision)
                await self._next(lambda: turn.ended is not None or bool(unseen()))
        self.check()
        return turn

    async def until(self, turn: Turn, kind: str, *, count: int = 1, seconds: float = 60.0) -> Any:
        """The data of the `count`th event of `kind` in `turn`."""
        async with asyncio.timeout(seconds):
            await self._next(lambda: len(turn.of(kind)) >= count or turn.ended is not None)
        self.check()
        assert len(turn.of(kind)) >= count, f"the turn ended ({turn.stop_reason}) without {kind}"
        return turn.of(kind)[count - 1]

    async def outside(self, kind: str, *, after: int = 0, seconds: float = 60.0) -> Data:
        """The first event of `kind` after so many others, whatever its turn."""
        async with asyncio.timeout(seconds):
            await self._next(lambda: any(event.kind == kind for event in self.events[after:]))
        return next(event.data for event in self.events[after:] if event.kind == kind)

    async def ended(self) -> None:
        """Wait until the stream of events has ended."""
        await asyncio.wait_for(asyncio.shield(self._reading), 30)

    def check(self) -> None:
        """Fail if any event so far was wrong."""
        if self.broken is not None:
            raise self.broken

    async def pause(self) -> None:
        """Stop reading; the agent sees a consumer that has fallen behind."""
        self._reading.cancel()
        await asyncio.wait([self._reading])

    def resume(self) -> None:
        """Go on reading."""
        self._reading = asyncio.create_task(self._read())

    async def _next(self, ready: Callable[[], bool]) -> None:
        async with self._news:
            await self._news.wait_for(lambda: ready() or self.broken is not None)


def allow(asked: PermissionAsked) -> PermissionAnswer:
    """Allow it once."""
    return PermissionAnswer(permission_id=asked.permission_id, choice="once")


def allow_for_session(asked: PermissionAsked) -> PermissionAnswer:
    """Allow it and what its rule covers."""
    return PermissionAnswer(permission_id=asked.permission_id, choice="session")


def reject(asked: PermissionAsked, message: str = "") -> PermissionAnswer:
    """Reject it."""
    return PermissionAnswer(permission_id=asked.permission_id, choice="reject", message=message)


def choose(*labels: str) -> Answer:
    """Answer a question with these labels."""
    return lambda asked: PermissionAnswer(
        permission_id=asked.permission_id, choice="answered", answers=[list(labels)]
    )
