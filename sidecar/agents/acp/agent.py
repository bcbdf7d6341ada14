"""An agent that speaks ACP as an Agent: our calls become its calls, its failures become events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from sidecar.agents.acp import calls
from sidecar.agents.acp.calls import Refused, Unreachable
from sidecar.agents.acp.conversation import Conversation
from sidecar.agents.acp.errors import classified, stop_reason
from sidecar.agents.acp.host import Host
from sidecar.agents.acp.provider import ProviderWatch
from sidecar.agents.acp.recipe import AGENTS, Recipe
from sidecar.agents.base import (
    Agent,
    AgentContext,
    AgentError,
    AgentEvent,
    AgentStartFailed,
    EventQueue,
    Screen,
)
from sidecar.agents.failures import failure
from sidecar.agents.policy import MODES, Policy, known_mode
from sidecar.agents.turns import Turns
from sidecar.protocol import frames
from sidecar.protocol.messages import AgentConfig, AgentInfo, AgentStatus, ErrorData, StopReason

CANCEL_SECONDS = 1.6
GRACE_SECONDS = 1.0
MAX_MODELS = 200


class AcpAgent(Agent):
    """When the program ends unasked the open turn ends with it, and the next prompt starts another.

    The protocol has no word for "no, because": a rejection stops the agent, and what a person said with it
    is the agent's next prompt, in the same turn of ours.
    """

    def __init__(self, recipe: Recipe, folder: str = AGENTS) -> None:
        self.id = recipe.id  # type: ignore[misc]
        self.name = recipe.name  # type: ignore[misc]
        self._recipe = recipe
        self._folder = folder
        self._queue = EventQueue()
        self._turns = Turns(self._queue)
        self._policy = Policy()
        self._exit_reason = ""
        self._cancelled = False
        self._sent = ""
        """The turn whose prompt has gone out."""
        self._serving = asyncio.Lock()
        self._host: Host | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def resumed(self) -> bool:
        return self._host is not None and self._host.resumed

    @property
    def exit_reason(self) -> str:
        return self._exit_reason

    def events(self) -> AsyncIterator[AgentEvent]:
        return self._queue.read()

    async def start(self, context: AgentContext) -> AgentInfo:
        self._context = context
        self._model, self._mode = context.model, known_mode(context.mode)
        self._conversation = Conversation(
            self._turns,
            self._policy,
            context.workspace,
            remarks=self._recipe.remarks,
            commands_changed=self._tell_config,
        )
        self._provider = ProviderWatch(context.news, self._turns, self._conversation.break_off)
        host = self._host = Host(
            context,
            self._recipe,
            self._folder,
            conversation=self._conversation,
            queue=self._queue,
            gone=self._program_gone,
        )
        try:
            async with self._serving:
                await host.start(self._model)
        except OSError as error:
            raise AgentStartFailed(f"The box does not run {self.name}: {error}") from error
        self._spawn(self._watch())
        self._tell_config()
        return AgentInfo(id=self.id, name=self.name, version=host.version)

    async def prompt(self, turn: str, text: str, *, model: str = "", mode: str = "") -> None:
        self._turns.begin(turn)
        self._cancelled = False
        self._conversation.begin(turn)
        self._provider.begin()
        try:
            async with self._serving:
                await self._make_ready(model or self._model, known_mode(mode, self._mode))
        except (AgentStartFailed, Unreachable, Refused) as error:
            self._end(turn, "error", failure("agent_crash", str(error)))
        except OSError as error:
            self._end(turn, "error", failure("box_lost", str(error)))
            self._exit_reason = f"The box is gone: {error}"
            self._queue.end()
        if self._turns.current == turn:
            self._sent = turn
            self._conversation.open()
            self._spawn(self._converse(turn, text))

    async def cancel(self, turn: str) -> None:
        if self._turns.current != turn:
            return
        self._cancelled = True
        if self._sent != turn:
            self._end(turn, "cancelled")
            return
        has_command = self._conversation.calls.has_command
        await self._stop_prompt()
        if not await self._has_ended(turn, CANCEL_SECONDS):
            await self._give_up(turn, None)
        elif has_command and not self._recipe.ends_commands:
            # Its commands end with it, and the next prompt starts it again.
            await self._running_host.stop()

    async def answer(self, answer: frames.PermissionAnswer) -> None:
        self._conversation.consent.decide(answer)
        if answer.choice == "reject":
            await self._stop_prompt()

    async def configure(self, *, model: str = "", mode: str = "") -> None:
        self._model = model or self._model
        self._mode = known_mode(mode, self._mode)
        self._tell_config()

    async def rest(self) -> None:
        self._turns.check_none()
        async with self._serving:
            # A prompt that came first has been served meanwhile, or is about to be.
            self._turns.check_none()
            host = self._running_host
            if host.peer is None:
                return
            if not host.remembers:
                raise AgentError(f"{self.name} cannot take up a conversation again.")
            await host.stop()
            self._turns.emit("agent.status", AgentStatus(status="stopped"))

    async def screen(self) -> Screen:
        return self._running_host.screen(self._model)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._host is not None:
            await self._host.stop()
        self._queue.end()

    @property
    def _running_host(self) -> Host:
        assert self._host is not None, "start comes first"
        return self._host

    async def _make_ready(self, model: str, mode: str) -> None:
        host = self._running_host
        if host.peer is None or host.model != model:
            self._turns.emit("agent.status", AgentStatus(status="starting"))
            await host.start(model)
            self._turns.emit("agent.status", AgentStatus(status="ready"))
            self._tell_config()
        self._policy.mode = mode
        await host.set_mode(mode)

    async def _converse(self, turn: str, words: str) -> None:
        """Our prompt until its end, and once more for each piece of advice that comes with a rejection."""
        consent = self._conversation.consent
        try:
            while True:
                said = await self._say(words)
                if self._turns.current != turn or self._cancelled or not consent.advice:
                    break
                words = consent.advice
                consent.refused, consent.advice = False, ""
                self._conversation.calls.cancelled = False
        except Refused as error:
            self._end(turn, "error", self._provider.cause or classified(error))
        except Unreachable as error:
            # A program that has died is known to have a moment later, and is then the better reason.
            if not await self._has_ended(turn, GRACE_SECONDS):
                await self._give_up(turn, failure("agent_crash", str(error)))
        else:
            self._end(turn, stop_reason(said), self._provider.failure)

    async def _say(self, words: str) -> object:
        """One prompt of the agent's; why it ended. Refused or Unreachable."""
        peer = self._running_host.peer
        if peer is None:
            raise Unreachable("It ended.")
        session = self._conversation.session
        params = {"sessionId": session, "prompt": [{"type": "text", "text": words}]}
        return (await peer.call(calls.PROMPT, params, None)).get("stopReason")

    async def _stop_prompt(self) -> None:
        peer = self._running_host.peer
        # Its news of what it stopped may come before it is told in full.
        self._conversation.calls.cancelled = True
        if peer is not None:
            with contextlib.suppress(Unreachable):
                # It is told before what it waits for is answered, as the protocol wants it.
                stopped = {"sessionId": self._conversation.session}
                await peer.notify(calls.CANCEL, stopped, GRACE_SECONDS)
        self._conversation.cancel()

    def _tell_config(self) -> None:
        models = [self._model, *(model for model in self._running_host.models if model != self._model)]
        config = AgentConfig(
            modes=list(MODES),
            models=models[:MAX_MODELS],
            commands=self._conversation.commands,
            mode=self._mode,
            model=self._model,
        )
        self._turns.emit("agent.config", config)

    def _end(self, turn: str, reason: StopReason, error: ErrorData | None = None) -> None:
        """End `turn` if it is open; that it was cancelled or refused outweighs what else is said of it."""
        if self._turns.current != turn:
            return
        if self._cancelled:
            reason, error = "cancelled", None
        elif self._conversation.consent.refused:
            reason, error = "refused", None
        elif error is not None:
            reason = "error"
        self._conversation.end()
        self._provider.end()
        self._turns.end(reason, error)

    async def _give_up(self, turn: str, error: ErrorData | None) -> None:
        """The program does not do what it must: the turn ends now, and the next prompt gets a new one."""
        self._end(turn, "error" if error else "cancelled", error)
        await self._running_host.stop(at_once=True)

    def _program_gone(self, reason: str) -> None:
        turn = self._turns.current
        if turn is not None:
            self._end(turn, "error", failure("agent_crash", reason))
        self._turns.emit("agent.status", AgentStatus(status="stopped", message=reason))

    async def _has_ended(self, turn: str, seconds: float) -> bool:
        if self._turns.current == turn:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._turns.ended.wait()
        return self._turns.current != turn

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self) -> None:
        """Find turns that the agent never ends, or that ask their provider in vain."""
        pause = min(0.5, self._context.hang_seconds / 4)
        while True:
            await asyncio.sleep(pause)
            turn = self._turns.current
            if turn is None or self._sent != turn:
                continue
            if self._queue.is_full:
                self._turns.sign()
            if (in_vain := self._provider.given_up()) is not None:
                # Ended for good: a call of it that still fails later would be taken for the next turn's.
                await self._give_up(turn, in_vain)
            elif self._turns.silent_seconds() > self._context.hang_seconds:
                await self._give_up(turn, failure("agent_hang"))
