"""The platform's end of the link: a sidecar shows its token, sends events and gets commands."""

from __future__ import annotations

import asyncio
import time
import uuid
from functools import partial
from typing import Any

from openagent.lib import db, log
from sessions_app import feeds, jobs, relay
from sessions_app.consumers import base, counters, upkeep, writer
from sessions_app.consumers.link_member import MemberLink
from sessions_app.consumers.link_queries import Queries
from sessions_app.consumers.link_terminals import LinkTerminals
from sessions_app.consumers.unstored import Unstored
from sessions_app.models import Instance
from sessions_app.services import budget_asks, commands, ingest, lifecycle, links, pool, stages
from sessions_app.services.events import Outcome
from sidecar.protocol import frames, messages, stream, terminals
from sidecar.protocol.budget import BudgetAsk

_log = log.get(__name__)

HELLO_SECONDS = 10
DEATH_CHECK_SECONDS = 2.0
MAX_OUTGOING = 1000
"""Frames that may wait to be written; acknowledgements are merged, so nobody who reads has as many."""
MAX_UNSTORED_CHARACTERS = 4 * stream.CREDIT_BYTES
"""Of events that are not stored yet; a sidecar that keeps to its credit, of bytes, has a fraction of it."""


class LinkConsumer(base.SocketConsumer):
    """One sidecar's connection. Everything that arrives is checked before it means anything."""

    grant: links.Grant

    def may_connect(self) -> bool:
        """Sidecars only: whoever brings a cookie or an origin is a browser."""
        return b"cookie" not in self.headers and b"origin" not in self.headers

    async def serve(self) -> None:
        """Hello, then frames in and commands out until the connection ends."""
        upkeep.ensure_running()
        self._outgoing: asyncio.Queue[frames.Frame | bytes] = asyncio.Queue(MAX_OUTGOING)
        self._queries = Queries(self._put)
        self._has_commands = asyncio.Event()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        hello = await self._hello()
        self.grant = await self._grant(hello)
        self.instance_id, self.session_id = self.grant.instance_id, self.grant.session_id
        self.generation = self.grant.generation
        log.bind(session=self.session_id, instance=self.instance_id)
        self._seq = self.grant.stored_seq
        self.terminals = LinkTerminals(self.session_id, self.grant.version, self._put, self._outgoing)
        self.last_command = hello.last_command
        self._ack: frames.Ack | None = None
        self._ack_since = 0.0
        self._unstored = Unstored()
        writer.replace(self.instance_id)
        replaced = relay.add_link(self)
        if replaced is not None:
            replaced.end(base.SUPERSEDED, "a newer connection of this instance took over")
        self._has_commands.set()
        counters.LINKS.inc()
        try:
            await base.run_together(self._read(), self._write(), self._give_commands(), self._wait_for_end())
        finally:
            counters.LINKS.dec()
            self._leave()

    # --- used by relay and writer ------------------------------------------------------------------

    def wake(self) -> None:
        """There may be new commands."""
        self._has_commands.set()

    def forget_key(self, provider: str) -> None:
        """The key was revoked: the gate must not use it again."""
        self._put(frames.KeyDrop(provider=provider))

    def stored(self, seq: int) -> None:
        """Events up to `seq` are committed: the sidecar may forget them."""
        since = self._unstored.forget(seq)
        if self._ack is not None:
            self._ack.seq = seq
        else:
            self._ack, self._ack_since = frames.Ack(seq=seq), since
            self._put(self._ack)

    def refused(self, outcome: Outcome | None) -> None:
        """Events were not stored: a fenced sidecar ends, another one reconnects and sends them again."""
        if outcome is Outcome.FENCED:
            self._put(frames.Refused(code="fenced", message="This generation has ended.", final=True))
        else:
            self.end(base.TRY_AGAIN, "events were not stored, send them again")

    async def query(self, verb: str, data: dict[str, Any]) -> dict[str, Any]:
        """Asks the sidecar; AppError with its code when it answers with an error or not at all."""
        return await self._queries.ask(verb, data, version=self.grant.version)

    def end(self, code: int, reason: str) -> None:
        """Closes the connection from outside."""
        if not self._ended.done():
            self._ended.set_exception(base.Closed(code, reason))

    def _put(self, frame: frames.Frame) -> None:
        """Has a frame written; a sidecar that does not take what it is sent is let go."""
        try:
            self._outgoing.put_nowait(frame)
        except asyncio.QueueFull:
            self.end(base.SLOW_DOWN, "what is sent is not taken")

    # --- the connection's own tasks ----------------------------------------------------------------

    async def _hello(self) -> frames.Hello:
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                hello = await self._receive_frame()
        except TimeoutError:
            raise base.Closed(base.UNAUTHENTICATED, "hello expected") from None
        if not isinstance(hello, frames.Hello):
            raise base.Closed(base.UNAUTHENTICATED, "hello expected")
        return hello

    async def _grant(self, hello: frames.Hello) -> links.Grant:
        """Welcomes the sidecar; one that belongs to nobody yet waits here until somebody claims it."""
        try:
            accepted = await db.run(links.accept, hello)
            await self._welcome(accepted)
            if isinstance(accepted, links.Grant):
                return accepted
            member = MemberLink(hello, receive=self._receive_frame, send=self.send_text)
            return await member.wait_for_claim(accepted)
        except links.LinkRefused as refusal:
            await self.send_text(
                frames.encode(frames.Refused(code=refusal.code, message=refusal.message, final=refusal.final))
            )
            raise base.Closed(base.FORBIDDEN, refusal.code) from None

    async def _welcome(self, accepted: links.Grant | pool.Unclaimed) -> None:
        is_first, stored = True, 0
        if isinstance(accepted, links.Grant):
            is_first, stored = accepted.is_first, accepted.stored_seq
        counters.LINK_CONNECTS.labels("first" if is_first else "again").inc()
        welcome = frames.Welcome(
            version=accepted.version, platform_version=links.PLATFORM_VERSION, stored_seq=stored
        )
        await self.send_text(frames.encode(welcome))

    async def _receive_frame(self) -> frames.Up:
        return self._decode(await self.receive_text())

    async def _read(self) -> None:
        while True:
            text = await self.receive_either()
            if isinstance(text, bytes):
                self._on_output(text)
                continue
            frame = self._decode(text)
            match frame:
                case frames.Events():
                    self._on_events(frame.events, len(text))
                case frames.CommandDone():
                    await db.run(
                        lifecycle.on_command_done,
                        instance_id=self.instance_id,
                        number=frame.number,
                        error=frame.error,
                    )
                case frames.Salvage():
                    await self._on_salvage(frame)
                case frames.Stage():
                    await db.run(stages.add, self.instance_id, frame.stage)
                case frames.Progress():
                    await db.run(stages.go_on, self.instance_id, frame.detail)
                case frames.KeyRequest():
                    self._put(await db.run(links.seal_key, instance_id=self.instance_id, request=frame))
                case BudgetAsk():
                    self._put(await db.run(budget_asks.answer, instance_id=self.instance_id, ask=frame))
                case frames.Answer():
                    self._queries.answered(frame)
                case terminals.TerminalTell() | terminals.TerminalSaved() | terminals.TerminalWork():
                    await self.terminals.receive(frame)
                case frames.Goodbye():
                    raise base.Closed(1000, "goodbye")
                case frames.Hello():
                    raise base.Closed(base.BAD_FRAME, "hello was said already")

    def _on_output(self, message: bytes) -> None:
        try:
            self.terminals.output(message)
        except frames.FrameError as error:
            raise base.Closed(base.BAD_FRAME, str(error)) from None

    def _on_events(self, events: list[messages.Event], size: int) -> None:
        """Has events shown and stored; what was seen already is dropped."""
        fresh = [event for event in events if event.seq > self._seq]
        for number, event in enumerate(fresh, self._seq + 1):
            if event.seq != number or event.gen != self.generation:
                raise base.Closed(base.BAD_FRAME, "events out of order")
            self._check(event)
        if not fresh:
            return
        self._seq = fresh[-1].seq
        self._unstored.add(self._seq, size)
        if self._unstored.characters > MAX_UNSTORED_CHARACTERS:
            raise base.Closed(base.SLOW_DOWN, "more events than the credit allows")
        counters.EVENTS_RECEIVED.inc(len(fresh))
        if feed := relay.feed_of(self.session_id):
            text = frames.encode(frames.Events(events=fresh))
            asks = any(event.kind == "permission.asked" for event in fresh)
            feed.publish(feeds.Frame(self.generation, fresh[0].seq, fresh[-1].seq, text, asks))
        writer.add(self, fresh)

    def _check(self, event: messages.Event) -> None:
        try:
            messages.check_event(event)
        except messages.MessageError as error:
            raise base.Closed(base.BAD_FRAME, str(error)) from None

    async def _on_salvage(self, frame: frames.Salvage) -> None:
        for event in frame.events:
            self._check(event)
        successor = await db.run(_load, self.instance_id)
        salvage = partial(ingest.salvage, successor=successor, gen=frame.gen)
        rest = frame.events
        try:
            while (end := ingest.slice_end(rest)) < len(rest):
                await db.run(salvage, salvaged=rest[:end], done=False)
                rest = rest[end:]
            stored, next_seq = await db.run(salvage, salvaged=rest, done=frame.done)
        except ingest.Fenced:
            self.refused(Outcome.FENCED)
            return
        if next_seq:
            self._seq = max(self._seq, next_seq - 1)
        self._put(frames.SalvageAck(gen=frame.gen, seq=stored, next_seq=next_seq))
        relay.wake_session(self.session_id)

    async def _write(self) -> None:
        while True:
            frame = await self._outgoing.get()
            if isinstance(frame, bytes):
                await self.send_bytes(frame)
                continue
            if frame is self._ack:
                self._ack = None
                counters.ACK_SECONDS.observe(time.monotonic() - self._ack_since)
            await self.send_text(frames.encode(frame))
            if isinstance(frame, frames.Refused):
                raise base.Closed(base.FORBIDDEN, frame.code)

    async def _give_commands(self) -> None:
        while True:
            await self._has_commands.wait()
            self._has_commands.clear()
            while orders := await db.run(
                commands.after, instance_id=self.instance_id, number=self.last_command, limit=1
            ):
                await self._outgoing.put(frames.Commands(commands=orders))
                self.last_command = orders[-1].number

    async def _wait_for_end(self) -> None:
        await self._ended

    def _decode(self, text: str) -> frames.Up:
        try:
            frame = frames.decode_up(text)
        except frames.FrameError as error:
            raise base.Closed(base.BAD_FRAME, str(error)) from None
        if "\\u0000" in text and isinstance(frame, frames.Events | frames.Salvage):
            for event in frame.events:
                event.data = messages.without_nul(event.data)
        return frame

    def _leave(self) -> None:
        self.terminals.lost()
        self._queries.give_up()
        if relay.remove_link(self):
            loop = asyncio.get_running_loop()
            loop.call_later(DEATH_CHECK_SECONDS, _check_death, self.instance_id)


def _check_death(instance_id: uuid.UUID) -> None:
    """A link that does not come back at once may mean that the sidecar died: have somebody look."""
    if not relay.has_link(instance_id):
        asyncio.get_running_loop().run_in_executor(None, jobs.check_instance, instance_id)


def _load(instance_id: uuid.UUID) -> Instance:
    return Instance.objects.select_related("session").get(pk=instance_id)
