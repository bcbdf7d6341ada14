"""A scripted agent behind the real interface: a turn is a list of steps, or a script of the demo model.

    agent = FakeAgent({"hello": [Say(["Hel", "lo"]), Crash()]})

A prompt plays the steps of its own text if there are any, else the demo script that it names (`/demo work`).
It keeps every promise of `Agent` and passes the same suite as real ones: tests/contract/agents.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from sidecar.agents.base import Agent, AgentContext, AgentEvent, AgentStartFailed, EventQueue
from sidecar.agents.failures import failure
from sidecar.agents.policy import MODES, Policy, known_mode
from sidecar.agents.turns import Turns
from sidecar.protocol import frames
from sidecar.protocol.messages import AgentConfig, AgentInfo, AgentStatus, PermissionAsked
from tests.fakes.agent_steps import Step, from_demo
from tests.fakes.agent_turn import Performance, TurnEnded


@dataclass
class FakeDisk:
    """What survives an instance: the prompts so far. Give the same one to the next FakeAgent."""

    prompts: list[str] = field(default_factory=list)


class FakeAgent(Agent):
    """`prompts` holds what was asked, with the model and mode that were in force."""

    id: ClassVar[str] = "fake"
    name: ClassVar[str] = "Fake"

    def __init__(
        self,
        plays: Mapping[str, Sequence[Step]] | None = None,
        *,
        disk: FakeDisk | None = None,
        start_fails: bool = False,
    ) -> None:
        self.prompts: list[tuple[str, str, str]] = []
        self._plays = plays or {}
        self._disk = disk or FakeDisk()
        self._start_fails = start_fails
        self._queue = EventQueue()
        self._turns = Turns(self._queue)
        self._policy = Policy()
        self._running: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._answers: dict[str, asyncio.Future[frames.PermissionAnswer]] = {}
        self.runs = False
        """Whether its process, if it had one, would be there."""
        self._resumed = False

    @property
    def resumed(self) -> bool:
        return self._resumed

    @property
    def exit_reason(self) -> str:
        return ""

    def events(self) -> AsyncIterator[AgentEvent]:
        return self._queue.read()

    async def start(self, context: AgentContext) -> AgentInfo:
        if self._start_fails:
            raise AgentStartFailed("The agent does not come up, as told.")
        self._context = context
        self._model, self._mode = context.model, known_mode(context.mode)
        self.runs, self._resumed = True, bool(self._disk.prompts)
        self._watch = asyncio.create_task(self._find_hangs())
        self._tell_config()
        return AgentInfo(id=self.id, name=self.name, version="1.0")

    async def prompt(self, turn: str, text: str, *, model: str = "", mode: str = "") -> None:
        self._turns.begin(turn)
        if not self.runs:
            self.runs = True
            self._turns.emit("agent.status", AgentStatus(status="ready"))
        self._policy.mode = known_mode(mode, self._mode)
        self.prompts.append((text, model or self._model, self._policy.mode))
        self._disk.prompts.append(text)
        self._running = asyncio.create_task(self._play(text, model or self._model))

    async def cancel(self, turn: str) -> None:
        if self._turns.current == turn:
            await self._stop()
            self._turns.end("cancelled")

    async def answer(self, answer: frames.PermissionAnswer) -> None:
        self._turns.answered(answer.permission_id)
        self._answers.pop(answer.permission_id).set_result(answer)

    async def configure(self, *, model: str = "", mode: str = "") -> None:
        self._model, self._mode = model or self._model, known_mode(mode, self._mode)
        self._tell_config()

    async def rest(self) -> None:
        self._turns.check_none()
        if self.runs:
            self.runs = False
            self._turns.emit("agent.status", AgentStatus(status="stopped"))

    async def close(self) -> None:
        await self._stop()
        if self._watch is not None:
            self._watch.cancel()
        self._queue.end()

    def crash(self) -> None:
        """The process dies now."""
        self.runs = False
        if self._running is not None:
            self._running.cancel()
        self._turns.end("error", failure("agent_crash", "signal 9"))
        self._turns.emit("agent.status", AgentStatus(status="stopped"))

    async def _stop(self) -> None:
        self._answers.clear()
        if self._running is not None and self._running is not asyncio.current_task():
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _play(self, text: str, model: str) -> None:
        try:
            if "unknown" in model:
                self._turns.end("error", failure("unknown_model"))
                return
            results: list[str] = []
            steps = self._plays.get(text) or from_demo(text, results, self._disk.prompts[:-1])
            performance = Performance(self._turns, self._policy, self._queue, self._context.workspace, self)
            await performance.carry_out(steps, results)
        except TurnEnded:
            return
        self._turns.end("end_turn")

    async def ask(self, asked: PermissionAsked) -> frames.PermissionAnswer:
        """Ask a person and wait for the answer."""
        future: asyncio.Future[frames.PermissionAnswer] = asyncio.get_running_loop().create_future()
        self._answers[asked.permission_id] = future
        self._turns.emit("permission.asked", asked)
        return await future

    def _tell_config(self) -> None:
        config = AgentConfig(
            modes=list(MODES), models=[self._model], commands=["init"], mode=self._mode, model=self._model
        )
        self._turns.emit("agent.config", config)

    async def _find_hangs(self) -> None:
        while True:
            await asyncio.sleep(self._context.hang_seconds / 4)
            if self._queue.is_full:
                self._turns.sign()
            if self._turns.silent_seconds() > self._context.hang_seconds:
                await self._stop()
                self._turns.end("error", failure("agent_hang"))
