"""Keeps one OpenCode server running for one session, with its stream of events; brings it back when asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import structlog

from sidecar.agents.base import AgentContext, AgentStartFailed, EventQueue, Screen
from sidecar.agents.opencode import config, server, sessions
from sidecar.agents.opencode.client import Client, Refused, Unreachable
from sidecar.agents.opencode.conversation import Conversation
from sidecar.agents.opencode.server import Installation, Server
from sidecar.agents.opencode.stream import Stream

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 15.0


@dataclass
class Offer:
    """What the running server has to offer."""

    version: str = ""
    models: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Life:
    """One server from its start to its end."""

    server: Server
    stream: Stream
    tasks: tuple[asyncio.Task[None], ...]
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def connected(self) -> bool:
        """Wait until events come; False when the server ends before."""
        waits = [asyncio.create_task(event.wait()) for event in (self.stream.connected, self.over)]
        try:
            done, _ = await asyncio.wait(waits, timeout=CONNECT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not done:
            raise AgentStartFailed("OpenCode sends no events.")
        return not self.over.is_set()


class Host:
    """`gone` is called with the reason when a server ends that nobody ended here."""

    def __init__(
        self,
        context: AgentContext,
        installation: Installation,
        *,
        conversation: Conversation,
        queue: EventQueue,
        gone: Callable[[str], None],
    ) -> None:
        self.offer = Offer()
        self.resumed = False
        self._context = context
        self._installation = installation
        self._conversation = conversation
        self._queue = queue
        self._gone = gone
        self._life: _Life | None = None
        self._told_models = frozenset({context.model} if context.model else ())
        self._remembered = ""

    @property
    def client(self) -> Client | None:
        """Calls of the running server, None while there is none."""
        return self._life.server.client if self._life else None

    async def start(self) -> None:
        """Make the disk ready and bring the server up. AgentStartFailed, or OSError when the box is gone."""
        self._remembered = await server.prepare(self._context, self._installation)
        await self._launch()

    def is_ready_for(self, model: str) -> bool:
        """Whether a server runs that knows `model`."""
        known = not model or model in self._told_models or model in self.offer.models
        return known and self._life is not None

    async def start_for(self, model: str) -> None:
        """Bring up a server that knows `model`, in place of one that does not; raises as `start` does."""
        if model:
            # OpenCode refuses what it does not know; whether the model exists is the provider's to say.
            self._told_models |= {model}
        await self.stop()
        await self._launch()

    async def adopt(self, context: AgentContext, told_models: Collection[str]) -> None:
        """From now on serve this choice among what the running server was started for.

        Unreachable or Refused when it does not say what it has to offer.
        """
        assert self._life is not None
        self.offer.models = await sessions.models(self._life.server.client, context.provider.id)
        self._context, self._told_models = context, frozenset(told_models)

    async def connected(self) -> Client:
        """Calls of the server once it tells its events. AgentStartFailed when it ends before, or does not."""
        life = self._life
        if life is None or not await life.connected():
            raise AgentStartFailed("OpenCode ended as soon as it had started.")
        return life.server.client

    async def open_session(self) -> None:
        """Take up our session of OpenCode, or make one, and remember it on the disk."""
        assert self._life is not None
        opened = await sessions.open_session(self._life.server.client, self._remembered)
        self._conversation.attach(opened.id, opened.messages)
        self.resumed = self.resumed or opened.resumed
        if opened.id != self._remembered:
            self._remembered = opened.id
            with contextlib.suppress(AgentStartFailed):
                await server.remember(self._context, opened.id)

    def screen(self) -> Screen:
        """OpenCode's own screen with our session, on the server that runs."""
        assert self._life is not None
        running = self._life.server
        address = f"http://127.0.0.1:{running.client.port}"
        place = ("--dir", self._context.workspace, "--session", self._conversation.session)
        return Screen(
            argv=[self._installation.program, "attach", address, *place],
            env=config.screen_environment(self._context, running.password),
        )

    def path(self, verb: str) -> str:
        """The address of a call about our session."""
        return f"/session/{quote(self._conversation.session, safe='')}/{verb}"

    async def give(self, client: Client, prompt: Mapping[str, Any], *, seconds: float) -> None:
        """Hand a prompt to our session. Unreachable or Refused."""
        try:
            await client.post(self.path("prompt_async"), prompt, seconds=seconds)
        except Refused as error:
            if error.status != 404:
                raise
            # Somebody in the box has deleted our session.
            await self.open_session()
            self._conversation.begin()
            await client.post(self.path("prompt_async"), prompt, seconds=seconds)

    async def give_again(self, prompt: Mapping[str, Any], message: str) -> None:
        """Have OpenCode look at a prompt that it keeps as `message`. Unreachable or Refused.

        It answers no message twice: one that it has answered stays as it is, one that it is at goes on.
        """
        if self._life is None:
            raise Unreachable("There is no server.")
        known = {**prompt, "messageID": message, "parts": []}
        await self._life.server.client.post(self.path("prompt_async"), known)

    async def catch_up(self) -> None:
        """Let the conversation know what is the case. Unreachable or Refused when the server does not say."""
        if self._life is None or not self._life.stream.connected.is_set():
            raise Unreachable("The server sends no events.")
        await self._life.stream.catch_up()

    async def stop(self, *, at_once: bool = False) -> None:
        """End the server; `gone` is not called."""
        life, self._life = self._life, None
        if life is None:
            return
        life.over.set()
        for task in life.tasks:
            task.cancel()
        if at_once:
            await life.server.kill()
        await life.server.stop()
        await asyncio.wait(life.tasks)

    async def _launch(self) -> None:
        running = await Server.start(self._context, self._installation, self._told_models)
        stream = Stream(running.client, self._conversation, self._queue)
        tasks = (asyncio.create_task(stream.run()), asyncio.create_task(self._await_end(running)))
        self._life = _Life(running, stream, tasks)
        try:
            await self.open_session()
            self.offer = Offer(
                version=running.version,
                models=await sessions.models(running.client, self._context.provider.id),
                commands=await sessions.commands(running.client),
            )
        except (Unreachable, Refused) as error:
            await self.stop(at_once=True)
            raise AgentStartFailed(f"OpenCode started and then failed: {error}") from error

    async def _await_end(self, running: Server) -> None:
        reason = await running.ended()
        life = self._life
        if life is None or life.server is not running:
            return
        self._life = None
        life.over.set()
        life.tasks[0].cancel()
        log.warning("opencode.ended", reason=reason)
        self._gone(reason)
