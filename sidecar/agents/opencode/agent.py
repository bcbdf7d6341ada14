"""OpenCode as an Agent: our calls become its calls, its failures become events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from typing import Any, ClassVar

import structlog

from sidecar.agents.base import (
    Agent,
    AgentContext,
    AgentError,
    AgentEvent,
    AgentStartFailed,
    EventQueue,
    Screen,
    UnknownPermission,
)
from sidecar.agents.failures import failure
from sidecar.agents.opencode.client import Client, Refused, Unreachable
from sidecar.agents.opencode.conversation import Conversation
from sidecar.agents.opencode.errors import refusal
from sidecar.agents.opencode.host import Host
from sidecar.agents.opencode.requests import Order
from sidecar.agents.opencode.server import Installation
from sidecar.agents.opencode.watch import TAKE_UP_SECONDS, Watch
from sidecar.agents.policy import MODES, Policy, known_mode
from sidecar.agents.turns import Turns
from sidecar.protocol import frames
from sidecar.protocol.messages import AgentConfig, AgentInfo, AgentStatus, ErrorData

log = structlog.get_logger(__name__)

CANCEL_SECONDS = 1.6
CANCEL_PAUSE_SECONDS = 0.4
ABORT_SECONDS = 10.0
GRACE_SECONDS = 1.0
ATTEMPTS = 3
MAX_TASKS = 200
MAX_MODELS = 200


class OpenCode(Agent):
    """When the server ends unasked the open turn ends with it, and the next prompt starts another."""

    id: ClassVar[str] = "opencode"
    name: ClassVar[str] = "OpenCode"

    def __init__(self, installation: Installation | None = None) -> None:
        self._installation = installation or Installation()
        self._queue = EventQueue()
        self._turns = Turns(self._queue)
        self._policy = Policy()
        self._exit_reason = ""
        self._serving = asyncio.Lock()
        self._aborting: asyncio.Task[None] | None = None
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
        self._conversation = Conversation(self._turns, self._policy, context.workspace, self._send_soon)
        host = self._host = Host(
            context,
            self._installation,
            conversation=self._conversation,
            queue=self._queue,
            gone=self._server_gone,
        )
        self._watch = Watch(host, self._conversation, self._turns, self._queue, give_up=self._give_up)
        try:
            async with self._serving:
                await host.start()
        except OSError as error:
            raise AgentStartFailed(f"The box does not run OpenCode: {error}") from error
        self._spawn(self._watch.run(context.hang_seconds))
        self._tell_config()
        return AgentInfo(id=self.id, name=self.name, version=host.offer.version)

    async def adopt(self, *, provider: frames.Provider, model: str, mode: str) -> bool:
        offered = next((offer for offer in self._context.offers if offer.provider == provider), None)
        host = self._host
        if offered is None or host is None or host.client is None:
            return False
        context = replace(self._context, provider=provider, model=model, offers=())
        try:
            await host.adopt(context, offered.models)
        except (Unreachable, Refused) as error:
            log.warning("opencode.not_adopted", reason=str(error))
            return False
        self._context, self._model, self._mode = context, model, known_mode(mode)
        self._tell_config()
        return True

    async def prompt(self, turn: str, text: str, *, model: str = "", mode: str = "") -> None:
        self._turns.begin(turn)
        self._conversation.begin()
        try:
            async with self._serving:
                await self._prompt(turn, text, model or self._model, known_mode(mode, self._mode))
        except Refused as error:
            self._end(turn, refusal(error.status))
        except Unreachable as error:
            # A server that has died is known to have a moment later, and is then the better reason.
            if not await self._has_ended(turn, GRACE_SECONDS):
                await self._give_up(turn, failure("agent_hang", str(error)))
        except AgentStartFailed as error:
            self._end(turn, failure("agent_crash", str(error)))
        except OSError as error:
            self._end(turn, failure("box_lost", str(error)))
            self._exit_reason = f"The box is gone: {error}"
            self._queue.end()

    async def _prompt(self, turn: str, prompt: str, model: str, mode: str) -> None:
        host = self._running_host
        await self._serve(model)
        client = await host.connected()
        if self._aborting is not None:
            await asyncio.wait([self._aborting])  # On its way it would hit this prompt.
        await self._conversation.settling.wait()
        if self._turns.current != turn:
            return  # Cancelled meanwhile.
        self._policy.mode = mode
        body = {
            "parts": [{"type": "text", "text": prompt}],
            "model": {"providerID": self._context.provider.id, "modelID": model},
            "agent": "plan" if mode == "plan" else "build",
        }
        self._watch.gave(turn, body)
        await host.give(client, body, seconds=TAKE_UP_SECONDS)

    async def _serve(self, model: str) -> None:
        host = self._running_host
        if host.is_ready_for(model):
            return
        self._turns.emit("agent.status", AgentStatus(status="starting"))
        await host.start_for(model)
        self._turns.emit("agent.status", AgentStatus(status="ready"))
        self._tell_config()

    async def cancel(self, turn: str) -> None:
        if self._turns.current != turn:
            return
        self._conversation.cancel()
        if not self._watch.has(turn):
            self._conversation.end()
        elif self._watch.gives_again:
            await self._give_up(turn, None)
        else:
            await self._abort(turn)

    async def _abort(self, turn: str) -> None:
        client = self._running_host.client
        clock = asyncio.get_running_loop()
        deadline = clock.time() + CANCEL_SECONDS
        # Before it has taken up the prompt OpenCode has nothing to abort, and says yes all the same.
        while client is not None and (left := deadline - clock.time()) > 0:
            if self._aborting is None or self._aborting.done():
                self._aborting = self._spawn(self._post_abort(client))
            await asyncio.wait([self._aborting], timeout=left)
            if await self._has_ended(turn, min(left, CANCEL_PAUSE_SECONDS)):
                return
        await self._give_up(turn, None)

    async def _post_abort(self, client: Client) -> None:
        with contextlib.suppress(AgentError):
            await client.post(self._running_host.path("abort"), seconds=ABORT_SECONDS)

    async def answer(self, answer: frames.PermissionAnswer) -> None:
        turn = self._turns.current
        order = self._conversation.consent.decide(answer)
        if not await self._deliver(order) and turn is not None:
            await self._give_up(turn, failure("agent_hang", "It did not take an answer."))
            raise UnknownPermission("The agent did not take the answer.")

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
            if host.client is not None:
                await host.stop()
                self._turns.emit("agent.status", AgentStatus(status="stopped"))

    async def screen(self) -> Screen:
        async with self._serving:
            await self._serve(self._model)
            return self._running_host.screen()

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

    def _tell_config(self) -> None:
        offer = self._running_host.offer
        models = [self._model, *(model for model in offer.models if model != self._model)][:MAX_MODELS]
        config = AgentConfig(
            modes=list(MODES), models=models, commands=offer.commands, mode=self._mode, model=self._model
        )
        self._turns.emit("agent.config", config)

    def _end(self, turn: str, error: ErrorData | None) -> None:
        if self._turns.current == turn:
            self._conversation.end(error)

    async def _give_up(self, turn: str, error: ErrorData | None) -> None:
        """The server does not do what it must: the turn ends now, and the next prompt gets a new server."""
        self._end(turn, error)
        await self._running_host.stop(at_once=True)

    def _server_gone(self, reason: str) -> None:
        self._conversation.end(failure("agent_crash", reason))
        self._turns.emit("agent.status", AgentStatus(status="stopped", message=reason))

    async def _has_ended(self, turn: str, seconds: float) -> bool:
        if self._turns.current == turn:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._turns.ended.wait()
        return self._turns.current != turn

    async def _deliver(self, order: Order) -> bool:
        """Whether the server took it. UnknownPermission when it waits for no such thing."""
        for _ in range(ATTEMPTS):
            client = self._running_host.client
            if client is None:
                return False
            try:
                await client.post(order.path, order.body, seconds=5.0)
            except Refused as error:
                if error.status == 404:
                    raise UnknownPermission("The agent does not wait for this answer any more.") from error
            except Unreachable:
                continue
            else:
                return True
        return False

    def _send_soon(self, order: Order) -> None:
        if len(self._tasks) < MAX_TASKS:
            self._spawn(self._send(order, self._turns.current or ""))

    async def _send(self, order: Order, turn: str) -> None:
        with contextlib.suppress(UnknownPermission):
            if not await self._deliver(order):
                await self._give_up(turn, failure("agent_hang", "It did not take an answer."))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
