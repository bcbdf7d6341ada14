"""Carries out the steps of a fake turn: every step becomes the events that a real agent's would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol
from uuid import uuid4

from sidecar.agents.base import EventQueue
from sidecar.agents.failures import failure
from sidecar.agents.policy import Policy
from sidecar.agents.turns import Turns
from sidecar.protocol.frames import PermissionAnswer
from sidecar.protocol.messages import (
    AgentStatus,
    FileChanged,
    PermissionAsked,
    Plan,
    TextDelta,
    TextDone,
    ToolOutput,
    ToolUpsert,
)
from tests.fakes.agent_steps import (
    AskQuestion,
    Crash,
    Delegate,
    Fail,
    Hang,
    MakePlan,
    Retry,
    Say,
    Step,
    Think,
    Until,
    Use,
)


class TurnEnded(Exception):
    """The turn has ended in the middle of its steps."""


class Outside(Protocol):
    """What a turn needs of its agent."""

    async def ask(self, asked: PermissionAsked) -> PermissionAnswer: ...

    def crash(self) -> None: ...


class Performance:
    """One turn of the fake agent."""

    def __init__(
        self, turns: Turns, policy: Policy, queue: EventQueue, workspace: str, outside: Outside
    ) -> None:
        self._turns = turns
        self._policy = policy
        self._queue = queue
        self._workspace = workspace
        self._outside = outside

    async def carry_out(self, steps: Iterable[Step], results: list[str], parent: str = "") -> None:
        """Do these steps; TurnEnded when one of them ends the turn."""
        for step in steps:
            await self._queue.room()
            match step:
                case Say():
                    await self._say(step, parent)
                case Use():
                    await self._use(step, results, parent)
                case AskQuestion():
                    await self._ask_question(step, results, parent)
                case MakePlan():
                    self._turns.emit("plan", Plan(entries=list(step.entries)))
                case Delegate():
                    await self._delegate(step, parent)
                case _:
                    await self._go_wrong(step)

    async def _go_wrong(self, step: Retry | Fail | Crash | Hang | Until) -> None:
        match step:
            case Retry():
                status = AgentStatus(
                    status="retrying", message=step.message, attempt=1, retry_at=step.retry_at
                )
                self._turns.emit("agent.status", status)
                await asyncio.sleep(step.seconds)
                self._turns.emit("agent.status", AgentStatus(status="busy"))
            case Fail():
                self._turns.end("error", failure(step.error_class, step.message))
                raise TurnEnded
            case Crash():
                self._outside.crash()
                raise TurnEnded
            case Hang():
                await asyncio.Event().wait()
            case Until():
                await step.event.wait()

    async def _say(self, step: Say, parent: str) -> None:
        kind, part_id, offset = "thought" if isinstance(step, Think) else "message", str(uuid4()), 0
        for piece in step.pieces:
            if step.pause:
                await asyncio.sleep(step.pause)
            await self._queue.room()
            delta = TextDelta(part_id=part_id, offset=offset, text=piece, parent_tool_call_id=parent)
            self._turns.emit(f"{kind}.delta", delta)
            offset += len(piece)
        self._turns.emit(f"{kind}.done", TextDone(part_id=part_id, length=offset))

    async def _use(self, step: Use, results: list[str], parent: str) -> None:
        tool = str(uuid4())
        self._upsert(
            tool,
            name=step.name,
            title=step.title or step.name,
            tool_kind=step.tool_kind,
            status="pending",
            parent_tool_call_id=parent or None,
        )
        self._upsert(tool, status="in_progress", input=step.input, diffs=[step.diff] if step.diff else None)
        if step.permission and not self._policy.allows(step.permission, step.patterns):
            if self._policy.mode == "plan" and step.permission == "edit":
                self._upsert(tool, status="failed", error="Editing is not allowed in plan mode.")
                results.append("not allowed")
                return
            if not await self._permitted(step, tool, results):
                return
        offset = 0
        for piece in step.output:
            await asyncio.sleep(step.pause)
            self._turns.emit("tool.output", ToolOutput(tool_call_id=tool, offset=offset, text=piece))
            offset += len(piece)
        results.append("".join(step.output))
        if step.fails:
            self._upsert(tool, status="failed", error=step.fails, duration_ms=1)
            return
        if step.diff is not None:
            self._turns.emit("file.changed", FileChanged(path=step.diff.path, change="created"))
        self._upsert(tool, status="completed", duration_ms=1)

    async def _permitted(self, step: Use, tool: str, results: list[str]) -> bool:
        asked = PermissionAsked(
            permission_id=str(uuid4()),
            type="tool",
            title=step.title or step.name,
            tool_call_id=tool,
            command=step.command,
            cwd=self._workspace if step.command else "",
            path=step.diff.path if step.diff else "",
            diff=step.diff.patch if step.diff else "",
            rule=f"{step.permission}: {', '.join(step.always)}" if step.always else "",
        )
        answer = await self._outside.ask(asked)
        if answer.choice == "session":
            self._policy.allow(step.permission, step.always)
        if answer.choice != "reject":
            return True
        self._upsert(tool, status="rejected", error=f"Rejected. {answer.message}")
        results.append(f"rejected: {answer.message}")
        if not answer.message:
            self._turns.end("refused")
            raise TurnEnded
        return False

    async def _ask_question(self, step: AskQuestion, results: list[str], parent: str) -> None:
        tool = str(uuid4())
        self._upsert(
            tool, name="question", title="Question", status="in_progress", parent_tool_call_id=parent or None
        )
        asked = PermissionAsked(
            permission_id=str(uuid4()),
            type="question",
            title=step.questions[0].header,
            tool_call_id=tool,
            questions=list(step.questions),
        )
        answer = await self._outside.ask(asked)
        if answer.choice == "reject":
            self._upsert(tool, status="rejected", error="Not answered.")
            self._turns.end("refused")
            raise TurnEnded
        results.append(str(answer.answers))
        self._upsert(tool, status="completed")

    async def _delegate(self, step: Delegate, parent: str) -> None:
        tool = str(uuid4())
        self._upsert(
            tool,
            name="task",
            tool_kind="other",
            title=step.title,
            status="in_progress",
            parent_tool_call_id=parent or None,
        )
        await self.carry_out(step.steps, [], tool)
        self._upsert(tool, status="completed")

    def _upsert(self, tool: str, **fields: object) -> None:
        self._turns.emit("tool.upsert", ToolUpsert(tool_call_id=tool, **fields))  # type: ignore[arg-type]
