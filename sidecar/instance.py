"""One life of a sidecar: holds the link, is claimed, serves its session, and ends for one of a few reasons.

It connects the parts and decides nothing that they can decide themselves. Whatever happens first and is an
ending, ends it; what comes after is only logged.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from sidecar import __version__, ending, flush, health, log
from sidecar.config import Config
from sidecar.credentials import Credentials
from sidecar.dispatch import Dispatch, Refusal, Verb
from sidecar.ending import Ending, Exit
from sidecar.gate.allowance import Allowance
from sidecar.link import Link, Timing
from sidecar.preparation import Place, Preparation, StartFailed
from sidecar.protocol import budget, egress, frames, stream, terminals
from sidecar.salvage import Salvage
from sidecar.session import Session
from sidecar.stages import Stages
from sidecar.surroundings import MODELS, Parts, Surroundings, gates
from sidecar.tasks import Tasks
from sidecar.terminals.desk import Terminals
from sidecar.turns import Turns
from sidecar.workspace.files import Desk

GOODBYE_SECONDS = 1.0

_log = log.get(__name__)


class Instance:
    """`run` it once; `stop` asks it to end. It is the peer of its link."""

    def __init__(self, config: Config, parts: Parts | None = None, *, timing: Timing | None = None) -> None:
        parts = parts or Parts()
        self._config = config
        self._session: Session | None = None
        self._beginning: asyncio.Task[None] | None = None
        self._version = 0
        self._tasks = Tasks(self._task_failed)
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self.link = Link(self, unix=config.link.unix, url=config.link.url, timing=timing)
        self.link.bulk = self._next_of_terminals
        self._stages = Stages(self.link.send, lambda: self._version)
        self._credentials = Credentials(self.link.send)
        self._salvage = Salvage(Path(config.journal), self.link.send)
        self._box = parts.make_box(Path(config.box_socket), gates(self._serve))
        self._desk = Desk(self._box)
        self._dispatch = Dispatch(self._verbs(), send=self.link.send, on_done=self._command_done)
        place = Place(
            box=self._box,
            gate_port=lambda: self._box.gate_ports[MODELS],
            limits=config.limits,
            on_stage=self._stages.reach,
            on_progress=self._stages.progress,
        )
        self._preparation = Preparation(place, parts.get_agent)
        self._around = Surroundings(
            config=config,
            parts=parts,
            box=self._box,
            place=place,
            changes=self._desk.changes,
            preparation=self._preparation,
            key=self._credentials.key,
            allowance=Allowance(self.link.send),
            on_end=self._end,
            spawn=self._tasks.spawn,
            ready=self.link.ready,
        )

    async def run(self) -> Exit:
        """Live until something ends it; the exit code."""
        log.begin(instance_id=self._config.instance)
        log.hide(self._config.token)
        self._stages.reach("sidecar", __version__)
        try:
            await self._box.start()
        except OSError as error:
            _log.error("the box's socket cannot be made", reason=str(error))
            return Exit.CONFIG
        try:
            linking = self._tasks.spawn(self._keep_link())
            self._tasks.spawn(self._dispatch.run())
            self._tasks.spawn(self._watch_box())
            reason = await self._ended
            _log.info("ending", code=reason.code.name, reason=reason.reason)
            await self._finish(reason, linking)
        finally:
            await self._let_go()
        return reason.code

    def stop(self, reason: str) -> None:
        """End as asked: `idle`, `user` or `shutdown`."""
        self._end(ending.stopped(reason))

    def health(self) -> health.Health:
        """How it is right now."""
        is_linked, is_ended = self.link.up.is_set(), self._ended.done()
        return health.of(self._session, is_linked=is_linked, is_ended=is_ended, stage=self._stages.last)

    # --- the link's peer --------------------------------------------------------------------------

    def hello(self) -> frames.Hello:
        outbox = self._session.outbox if self._session else None
        return frames.Hello(
            versions=list(frames.PROTOCOL_VERSIONS),
            sidecar_version=__version__,
            instance=self._config.instance,
            token=self._config.token,
            public_key=self._credentials.public_key,
            nonce=self._credentials.hello_nonce(),
            gen=self._session.claim.gen if self._session else 0,
            last_seq=outbox.last_seq if outbox else 0,
            last_command=self._dispatch.last_command,
        )

    def opening(self, welcome: frames.Welcome) -> list[frames.Frame | bytes]:
        self._credentials.link_up()
        self._version = welcome.version
        if self._session:
            self._session.terminals.link_up()
        if outbox := self._session and self._session.outbox:
            outbox.resume(welcome.stored_seq)
        asked = [*self._credentials.requests(), *self._around.allowance.link_up(welcome.version)]
        pending = [self._salvage.pending] if self._salvage.pending else []
        return [*self._stages.reached, *self._dispatch.reports(), *asked, *pending]

    def receive(self, frame: frames.Down) -> None:
        match frame:
            case frames.Ack():
                if self._session is None or self._session.outbox is None:
                    raise stream.StreamError("events were acknowledged before there were any")
                self._session.outbox.acknowledge(frame.seq)
            case frames.Commands():
                self._dispatch.receive(frame.commands)
            case frames.SalvageAck():
                self._salvage.acknowledge(frame)
            case frames.Key():
                self._credentials.receive(frame)
            case frames.KeyDrop():
                self._credentials.drop(frame.provider)
                if self._session is not None:
                    self._session.key_revoked(frame.provider)
            case budget.Budget():
                self._around.allowance.receive(frame)
            case frames.Query():
                self._tasks.spawn(self._answer(frame))
            case frames.AgentPrepare() if self._session is None:
                self._tasks.spawn(self._preparation.run(frame))
            case _ if self._session is not None:
                self._session.terminals.receive(frame)
            case _:
                raise frames.FrameError("a frame out of place")

    def receive_bytes(self, message: bytes) -> None:
        if self._session is not None:
            self._session.terminals.receive_input(message)

    def link_lost(self) -> None:
        self._credentials.link_lost()
        if self._session:
            self._session.terminals.link_lost()

    def _next_of_terminals(self) -> frames.Frame | bytes | None:
        if self._session is None or self._version < terminals.VERSION:
            return None
        return self._session.terminals.next_message()

    # --- commands -----------------------------------------------------------------------------------

    def _verbs(self) -> dict[str, Verb]:
        return {
            "session.claim": Verb(frames.SessionClaim, self._claim),
            "turn.start": Verb(frames.TurnStart, lambda order: self._turns().start(order)),
            "turn.cancel": Verb(frames.TurnCancel, lambda order: self._turns().cancel(order)),
            "permission.answer": Verb(frames.PermissionAnswer, lambda order: self._claimed().answer(order)),
            "agent.configure": Verb(frames.AgentConfigure, lambda order: self._turns().configure(order)),
            "agent.rest": Verb(frames.AgentRest, lambda order: self._turns().rest()),
            "egress.configure": Verb(egress.Egress, lambda order: self._claimed().configure_egress(order)),
            "instance.stop": Verb(frames.InstanceStop, self._stop),
            "terminal.open": Verb(terminals.TerminalOpen, lambda order: self._terminals().open(order)),
            "terminal.open_agent": Verb(frames.TerminalOpenAgent, lambda it: self._terminals().open(it)),
            "terminal.close": Verb(terminals.TerminalClose, lambda order: self._terminals().close(order)),
            "terminal.resize": Verb(terminals.TerminalResize, lambda order: self._terminals().resize(order)),
        }

    async def _claim(self, order: frames.SessionClaim) -> None:
        if self._session is not None:
            raise Refusal("claimed_already")
        log.bind(session_id=order.session)
        self._credentials.claim(session=order.session, gen=order.gen, addresses=order.own_addresses)
        if self._preparation.is_begun:
            self._stages.begin_anew()
        self._session = Session(order, self._around)
        self._beginning = self._tasks.spawn(self._begin(self._session))

    async def _stop(self, order: frames.InstanceStop) -> None:
        self.stop(order.reason)

    def _turns(self) -> Turns:
        if self._session is None or self._session.turns is None:
            raise Refusal("not_ready")
        return self._session.turns

    def _claimed(self) -> Session:
        if self._session is None:
            raise Refusal("not_ready")
        return self._session

    def _terminals(self) -> Terminals:
        return self._claimed().terminals

    def _command_done(self, number: int) -> None:
        if self._session and self._session.outbox:
            self._session.outbox.note_command(number)

    # --- its own tasks --------------------------------------------------------------------------------

    async def _begin(self, session: Session) -> None:
        claim = session.claim
        try:
            first = await self._salvage.run(session=claim.session, gen=claim.gen)
            outbox = session.open(first=first)
            self.link.source = outbox.next_frame
            await session.begin()
        except OSError as error:
            _log.error("the journal cannot be read", reason=str(error))
            self._end(ending.failed(Exit.JOURNAL, "disk_full", "The session's journal cannot be read."))

    async def _keep_link(self) -> None:
        try:
            refused = await self.link.run()
        except stream.StreamError as error:
            _log.error("the link cannot be resumed", reason=str(error))
            self._end(Ending(code=Exit.LINK_BROKEN, reason=str(error)))
            return
        if refused is not None:
            self._end(Ending(code=Exit.REFUSED, reason=refused.code))

    async def _watch_box(self) -> None:
        await self._box.lost.wait()
        words = f"The box ended unexpectedly. {self._box.lost_reason} The next prompt starts a new one."
        self._end(ending.failed(Exit.BOX_LOST, "box_lost", words))

    async def _answer(self, query: frames.Query) -> None:
        asked = self._session.terminals if self._session and query.verb == "terminals.read" else None
        self.link.send(asked.answer(query) if asked else await self._desk.answer(query))

    async def _serve(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._session is not None:
            await self._session.serve(name, reader, writer)

    def _end(self, reason: Ending) -> None:
        if self._ended.done():
            _log.info("already ending", reason=reason.reason)
        else:
            self._ended.set_result(reason)

    def _task_failed(self, error: Exception) -> None:
        """What nobody expected ends the instance, and is called our fault."""
        if isinstance(error, StartFailed):
            self._end(error.ending)
            return
        _log.error("unexpected failure", exc_info=error)
        words = "The sidecar failed; this is a bug in the platform. The next prompt starts it anew."
        self._end(ending.failed(Exit.BUG, "internal", words))

    # --- the end ----------------------------------------------------------------------------------------

    async def _finish(self, reason: Ending, linking: asyncio.Task[None]) -> None:
        """End the session, have the platform store all of it if it listens, and say goodbye."""
        deadline = asyncio.get_running_loop().time() + self._config.limits.stop_seconds - GOODBYE_SECONDS
        has_platform = reason.code not in (Exit.REFUSED, Exit.LINK_BROKEN)
        if self._beginning is not None:
            self._beginning.cancel()
            await asyncio.wait([self._beginning])
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                if self._session is not None:
                    await self._session.finish(reason)
                    if self._session.outbox is not None and has_platform:
                        await flush.wait(self._session.outbox.settled(), self.link, linking)
        if has_platform:
            await self.link.leave(reason.reason, seconds=GOODBYE_SECONDS)

    async def _let_go(self) -> None:
        """Nothing of this instance runs or is open after this; the journal keeps what is not stored."""
        await self._tasks.cancel()
        await self._preparation.close()
        await self._box.close()
        self._credentials.forget()
        if self._session is not None:
            await self._session.close()
