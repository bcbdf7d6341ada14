"""What an instance does for the session that claimed it: its log, gate, agent and terminals, and its end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path

from sidecar import boxed_login, ending, log, preparation
from sidecar.agents import registry
from sidecar.agents.base import Agent, AgentError, ProviderNews, Screen
from sidecar.dispatch import Refusal
from sidecar.ending import Ending, Exit
from sidecar.gate import models
from sidecar.gate.egress.proxy import EgressGate
from sidecar.gate.git.gate import GitGate
from sidecar.gate.models import ModelGate
from sidecar.journal import Journal, JournalConflict, JournalUnwritable
from sidecar.ledger import Ledger
from sidecar.outbox import Limits, Outbox
from sidecar.preparation import StartFailed
from sidecar.protocol import frames, messages
from sidecar.protocol.egress import Egress
from sidecar.surroundings import EGRESS, GIT, MODELS, Surroundings
from sidecar.terminals.desk import Terminals
from sidecar.turns import Turns
from sidecar.workspace import repositories

CANCEL_SECONDS = 3.0
BOX_LOST_SECONDS = 0.2
SAVE_SECONDS = 2.0

_log = log.get(__name__)


class Session:
    """One claim: `open` when its first number is known, then `begin`; `finish` at the end in any case."""

    def __init__(self, claim: frames.SessionClaim, around: Surroundings) -> None:
        self.claim = claim
        self.outbox: Outbox | None = None
        self.is_ready = False
        self.terminals = Terminals(
            around.box,
            Path(around.config.journal),
            session=claim.session,
            limits=around.config.limits,
            ready=around.ready,
            spawn=around.spawn,
            screen=self._screen,
        )
        own = around.config.host_addresses
        self.egress = EgressGate(
            claim.egress or Egress(), self._tell, has_room=self._has_room, host_addresses=own
        )
        self.git = GitGate(
            claim.repositories, around.key, self._tell, is_open=self.egress.is_open, host_addresses=own
        )
        self._around = around
        self._has_agent = asyncio.Event()
        self._turns: Turns | None = None
        self._gate: ModelGate | None = None
        self._agent: Agent | None = None
        self._following: asyncio.Task[None] | None = None

    @property
    def turns(self) -> Turns | None:
        """The turns of this session, once it is ready for any."""
        return self._turns if self.is_ready else None

    def open(self, *, first: int) -> Outbox:
        """Begin this generation's log with number `first`. StartFailed when the journal cannot be used."""
        config = self._around.config
        try:
            ledger = Ledger(
                Journal(Path(config.journal), disk=self._around.parts.disk),
                session=self.claim.session,
                gen=self.claim.gen,
                instance=config.instance,
                first=first,
            )
        except (JournalConflict, JournalUnwritable) as error:
            _log.error("the journal cannot be used", reason=str(error))
            raise StartFailed(
                ending.failed(Exit.JOURNAL, "disk_full", f"The session's journal cannot be used: {error}.")
            ) from error
        limits = Limits(
            journal_bytes=config.limits.journal_bytes,
            events_per_second=config.limits.events_per_second,
            bytes_per_second=config.limits.bytes_per_second,
        )
        self.outbox = Outbox(ledger, limits, ready=self._around.ready)
        self.terminals.kept.recover()
        return self.outbox

    async def begin(self) -> None:
        """Wait for the box, start gate and agent, and say that the instance is ready. StartFailed."""
        assert self.outbox is not None, "open comes first"
        around = self._around
        await around.place.wait_for_box()
        trouble = await self._bring_repository()
        around.spawn(around.changes.begin())
        self.terminals.begin(self.outbox.emit)
        info = await self._start_agent(self.outbox)
        self._has_agent.set()
        around.place.on_stage("agent", self.outbox.veiled(f"{info.name} {info.version}".strip()))
        # Whoever reads the event may answer with a prompt at once.
        self.is_ready = True
        self.outbox.emit("instance.started", self._started(info))
        if trouble is not None:
            self.outbox.emit("error", trouble)
        around.place.on_stage("ready", "")

    async def serve(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection of the box to the gate of this name; closed at once while there is none."""
        if self.outbox is None:
            return
        gate = {MODELS: self._gate, EGRESS: self.egress, GIT: self.git}[name]
        if gate is not None:
            await gate.handle(reader, writer)

    async def answer(self, order: frames.PermissionAnswer) -> None:
        """A person's answer, to whoever asked. Refusal when nobody waits for it any more."""
        if self.egress.answer(order):
            return
        if self.turns is None:
            raise Refusal("not_ready")
        await self.turns.answer(order)

    async def configure_egress(self, order: Egress) -> None:
        """What the box may reach from now on."""
        self.egress.configure(order)
        if not self.egress.is_open():
            await self.git.close()

    def key_revoked(self, provider: str) -> None:
        """The provider's key was replaced or deleted: nothing goes on with it."""
        self.git.key_revoked(provider)
        if self._gate is not None and provider == self.claim.provider.id:
            self._gate.key_revoked()
            if (end := boxed_login.revoked(self.claim)) is not None:
                self._around.on_end(end)

    async def finish(self, reason: Ending) -> None:
        """End turn, terminals and agent, and let the log say so; takes a few seconds at most."""
        await asyncio.gather(self._finish_terminals(reason), self._finish_turn(reason))
        self.egress.finish()
        self.git.finish()
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        if self._gate is not None:
            # What is under way there is counted before the log says that the instance ended.
            await self._gate.close()
        if self._turns is not None:
            self._turns.interrupt(reason.error, stop_reason=reason.stop_reason)
        elif self.outbox is not None and reason.error is not None:
            self.outbox.emit("error", reason.error)
        if self.outbox is not None:
            if reason.code is Exit.STOPPED:
                self.outbox.emit("instance.stopped", messages.InstanceStopped(reason=reason.reason))
            self.outbox.lift_budget()
        await self._close_agent()

    async def _finish_turn(self, reason: Ending) -> None:
        if reason.code is Exit.STOPPED and self._turns is not None:
            await self._turns.stop(seconds=CANCEL_SECONDS)

    async def _finish_terminals(self, reason: Ending) -> None:
        """Before the log says that the instance ended: after that the platform wants nothing more of it."""
        await self.terminals.finish("stopped" if reason.code is Exit.STOPPED else "lost")
        with suppress(TimeoutError):
            async with asyncio.timeout(SAVE_SECONDS):
                await self.terminals.kept.settled()

    async def close(self) -> None:
        """Let go of gates and journal. What is not stored stays in the journal."""
        await asyncio.gather(self.egress.close(), self.git.close())
        if self._gate is not None:
            await self._gate.close()
        if self.outbox is not None:
            await self.outbox.close()

    async def _start_agent(self, outbox: Outbox) -> messages.AgentInfo:
        """Take the one that is there already, or start one. StartFailed."""
        around, claim, limits = self._around, self.claim, self._around.config.limits
        prepared = await around.preparation.take(claim)
        try:
            agent = self._agent = prepared.agent if prepared else self._make_agent()
            turns = self._turns = Turns(
                agent,
                outbox,
                cancel_seconds=limits.cancel_seconds,
                box_lost=around.box.lost,
                spawn=around.spawn,
                on_hang=self._agent_hung,
                others_waiting=lambda: self.egress.waiting,
                is_shown=lambda: self.terminals.shows_agent,
                look_first=around.changes.turn,
            )
            news = prepared.news if prepared else ProviderNews()
            self._gate = self._make_gate(turns, news)
        except (AgentError, ValueError) as error:
            raise StartFailed(
                ending.failed(Exit.START_FAILED, "agent_crash", f"The agent did not start. {error}")
            ) from error
        self._following = around.spawn(self._follow(agent, turns))
        if prepared:
            return prepared.info
        offer = frames.Offer(provider=claim.provider, models=[claim.model])
        login = boxed_login.of(claim, around.key, outbox.hide)
        context = around.place.context([offer], mode=claim.mode, news=news, login=login)
        return await preparation.start(agent, context)

    async def _bring_repository(self) -> messages.ErrorData | None:
        """Before the agent looks at the workspace. What goes wrong does not stop the start."""
        if not self.claim.repositories:
            return None
        box, place = self._around.box, self._around.place
        far = partial(place.on_progress, "repository")
        words = await repositories.bring(box, self.claim.repositories, box.gate_ports[GIT], far)
        place.on_stage("repository", "")
        return messages.ErrorData(error_class="clone_failed", message=words) if words else None

    def _make_agent(self) -> Agent:
        command = self.claim.command
        if command is None:
            return self._around.parts.get_agent(self.claim.agent)
        return registry.custom_agent(self.claim.agent, command)

    def _make_gate(self, turns: Turns, news: ProviderNews) -> ModelGate:
        provider, allowance, key = self.claim.provider, self._around.allowance, self._around.key
        allowance.claim(is_limited=self.claim.budgeted)

        def counted(usage: messages.Usage, turn: str | None) -> None:
            # What only estimates better stays an estimate: the platform could not tell that it came.
            allowance.counted(usage.request_id, corrects=bool(usage.corrects) and not usage.estimated)
            if self.outbox is not None:
                self.outbox.emit("usage", usage, turn=turn)
            # One that was begun before tells nothing of how it goes now.
            if turn == turns.open:
                turns.provider_answered()
                news.answered()

        def failed(error: messages.ErrorData) -> None:
            turns.provider_failed(error)
            news.failed(error)

        return ModelGate(
            provider,
            lambda: key(provider.id),
            counted,
            failed,
            turn=lambda: turns.open,
            limits=models.Limits(idle_seconds=self._around.config.limits.silence_seconds),
            allowed=allowance.call,
            host_addresses=self._around.config.host_addresses,
        )

    def _tell(self, kind: str, data: messages.Data) -> None:
        """An event of the way out: it belongs to no turn, for terminals use it too."""
        if self.outbox is not None:
            self.outbox.emit(kind, data)

    def _has_room(self) -> bool:
        agents = self._turns.waiting if self._turns is not None else 0
        return agents + self.egress.waiting < messages.MAX_PENDING

    async def _follow(self, agent: Agent, turns: Turns) -> None:
        await turns.follow()
        with suppress(TimeoutError):
            # The box may have taken it along: whoever watches the box says so.
            async with asyncio.timeout(BOX_LOST_SECONDS):
                await self._around.box.lost.wait()
            return
        words = f"The agent ended. {agent.exit_reason} The next prompt starts it anew."
        self._around.on_end(ending.failed(Exit.AGENT_ENDED, "agent_crash", words))

    def _agent_hung(self) -> None:
        self._around.on_end(Ending(code=Exit.AGENT_ENDED, reason="agent_hang"))

    def _started(self, info: messages.AgentInfo) -> messages.InstanceStarted:
        assert self._agent is not None
        return messages.InstanceStarted(
            agent=info,
            model=self.claim.model,
            driver=self.claim.driver or self._around.config.driver,
            resumed=self._agent.resumed,
        )

    async def _screen(self) -> Screen:
        await self._has_agent.wait()
        assert self._agent is not None
        return await self._agent.screen()

    async def _close_agent(self) -> None:
        if self._agent is not None:
            await preparation.close(self._agent)
