"""A browser's view of one terminal: output with credit down, numbered input up; the sidecar does the work."""

from __future__ import annotations

import asyncio
import uuid
from typing import cast
from urllib.parse import parse_qs

import msgspec

from openagent.accounts.models import Scope
from openagent.lib import db, log
from openagent.lib.errors import NotFound
from sessions_app import feeds, relay
from sessions_app.consumers import base, counters, people, upkeep
from sessions_app.models import Terminal, TerminalState
from sessions_app.services import activity, logs, terminals, transcripts
from sidecar.protocol import terminals as wire
from sidecar.protocol.framing import FrameError
from sidecar.protocol.terminals import CHUNK_BYTES, WINDOW_BYTES

HEARTBEAT_SECONDS = 10
LOOK_AGAIN_SECONDS = 2.0
TOUCH_SECONDS = 30.0
NORMAL = 1000


class _Message(msgspec.Struct):
    type: str
    offset: int = 0
    rows: int = 0
    cols: int = 0


_decoder = msgspec.json.Decoder(_Message)
_clients: dict[tuple[uuid.UUID, str], TerminalConsumer] = {}


class TerminalConsumer(people.PersonConsumer):
    """One viewer. It is passed from link to link, and goes on each time where it was."""

    async def serve(self) -> None:
        """Until the terminal has ended, or the browser goes."""
        upkeep.ensure_running()
        await self.sign_in()
        words = cast(dict[str, uuid.UUID], self.scope["url_route"]["kwargs"])
        self.session_id, self.terminal_id = words["session_id"], words["terminal_id"]
        if not await db.run(logs.may_watch, session_id=self.session_id, user_id=self.login.user_id):
            raise base.Closed(base.GONE, "no such session")
        log.bind(session=self.session_id)
        self._may_write = self.login.may(Scope.WRITE)
        self._name = await db.run(terminals.name_of, self.login.user_id)
        self._ask()
        self._outgoing: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        self._queued = self._acknowledged = self._taken = 0
        self._has_typed = asyncio.Event()
        self._link: relay.LinkTerminals | None = None
        self._refused_by: relay.LinkTerminals | None = None
        self._number = 0
        self._reader = feeds.Reader()
        upkeep.admit(self)
        self._take_over()
        relay.watch(self.session_id, self._reader)
        counters.VIEWERS.inc()
        try:
            await base.run_together(
                self._read(), self._write(), self._attend(), self._beat(), self._touch(), self.wait_for_end()
            )
        finally:
            counters.VIEWERS.dec()
            upkeep.viewers.discard(self)
            relay.unwatch(self.session_id, self._reader)
            self._detach()
            if _clients.get((self.terminal_id, self._client)) is self:
                del _clients[self.terminal_id, self._client]

    def _ask(self) -> None:
        """What the address asks for."""
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        value = {name: values[0] for name, values in query.items()}
        try:
            self._client = str(uuid.UUID(value["client"]))
            self._next = int(value["offset"]) if "offset" in value else None
            self._size = (int(value.get("rows", 0)), int(value.get("cols", 0)))
        except (KeyError, ValueError):
            raise base.Closed(base.BAD_FRAME, "client must be a UUID, and the rest numbers") from None
        if self._next is not None and not 0 <= self._next <= wire.MAX_OFFSET:
            raise base.Closed(base.BAD_FRAME, "no terminal has such an offset")
        if not self._may_write or not wire.is_size(*self._size):
            self._size = (0, 0)

    def _take_over(self) -> None:
        """The older connection of the same client would fight with this one over its input."""
        older = _clients.get((self.terminal_id, self._client))
        _clients[self.terminal_id, self._client] = self
        if older is not None:
            older.end(base.SUPERSEDED, "this client connected again")

    # --- used by the link ------------------------------------------------------------------------------

    def show(self, message: bytes) -> None:
        """Output, which is within this viewer's credit."""
        _, offset, data = wire.unpack(message)
        self._next = offset + len(data)
        self._say(message)

    def tell(self, tell: wire.Tell) -> None:
        """Something that the sidecar says."""
        match tell:
            case wire.Gone(why="unknown"):
                self._refused_by = self._link
                self._detach()
                self._reader.changed.set()
                return
            case wire.Gone():
                self.end(base.SLOW_DOWN, "too many viewers, or too much input")
                return
            case wire.Welcome():
                self._next, self._taken = tell.offset, tell.input
            case wire.Reset():
                self._next = tell.offset
            case wire.Taken():
                self._taken = tell.offset
        self._say(wire.encode_tell(tell))
        if isinstance(tell, wire.Ended):
            self._outgoing.put_nowait(None)

    def link_lost(self) -> None:
        """It is as if nobody were there, until the next link."""
        self._link = None
        self._reader.changed.set()

    # --- its own tasks ---------------------------------------------------------------------------------

    async def _attend(self) -> None:
        """Watches over whatever link there is; when the terminal has closed, shows what is kept of it."""
        said = ""
        while True:
            self._reader.changed.clear()
            if self._link is None:
                terminal = await self._find()
                if terminal.state == TerminalState.CLOSED:
                    await self._replay(terminal)
                    return
                if self._attach(terminal):
                    said = ""
                else:
                    reason = "starting" if terminal.state == TerminalState.OPENING else "link"
                    if reason != said:
                        self._say(f'{{"type":"waiting","reason":"{reason}"}}')
                    said = reason
            try:
                async with asyncio.timeout(None if self._link else LOOK_AGAIN_SECONDS):
                    await self._reader.changed.wait()
            except TimeoutError:
                continue

    async def _find(self) -> Terminal:
        try:
            return await db.run(
                terminals.watched,
                session_id=self.session_id,
                terminal_id=self.terminal_id,
                user_id=self.login.user_id,
            )
        except NotFound:
            raise base.Closed(base.GONE, "no such terminal") from None

    def _attach(self, terminal: Terminal) -> bool:
        link = relay.terminals_of(self.session_id)
        if terminal.state != TerminalState.OPEN or link is None or not link.is_known:
            return False
        if link is self._refused_by:
            # It has ended there, and its row says so in a moment.
            self._refused_by = None
            return False
        self._link = link
        order = wire.TerminalWatch(
            viewer=0,
            terminal=str(self.terminal_id),
            client=self._client,
            name=self._name,
            offset=self._next,
            rows=self._size[0],
            cols=self._size[1],
        )
        self._number = link.watch(self, order)
        return True

    def _detach(self) -> None:
        if self._link is not None:
            self._link.unwatch(self._number)
            self._link = None

    async def _read(self) -> None:
        while True:
            message = await self.receive_either()
            if isinstance(message, bytes):
                await self._type(message)
                continue
            said = people.decode(_decoder, message)
            if said.type == "ack":
                self._acknowledged = max(self._acknowledged, said.offset)
                self._reader.changed.set()
                if self._link is not None and 0 <= said.offset <= wire.MAX_OFFSET:
                    await self._link.send(wire.TerminalAck(viewer=self._number, offset=said.offset))
            elif said.type == "resize":
                await self._resize(said.rows, said.cols)

    async def _resize(self, rows: int, cols: int) -> None:
        self._check_may_write()
        if not wire.is_size(rows, cols):
            raise base.Closed(base.BAD_FRAME, "no terminal has this size")
        self._size = (rows, cols)
        if self._link is not None:
            await self._link.send(wire.TerminalSize(viewer=self._number, rows=rows, cols=cols))

    async def _type(self, message: bytes) -> None:
        """Input. Without a link it is dropped: the next hello says from where it is to be sent again."""
        self._check_may_write()
        try:
            _, offset, data = wire.unpack(message)
        except FrameError as error:
            raise base.Closed(base.BAD_FRAME, str(error)) from None
        self._has_typed.set()
        if self._link is None:
            return
        if offset + len(data) > self._taken + WINDOW_BYTES + CHUNK_BYTES:
            raise base.Closed(base.SLOW_DOWN, "too much input is not acknowledged")
        await self._link.send(wire.pack_input(self._number, message))

    async def _touch(self) -> None:
        """Typing is activity. It is told beside it: no keystroke waits for the database."""
        while True:
            await self._has_typed.wait()
            self._has_typed.clear()
            await db.run(activity.touch, session_id=self.session_id)
            await asyncio.sleep(TOUCH_SECONDS)

    def _check_may_write(self) -> None:
        if not self._may_write:
            raise base.Closed(base.FORBIDDEN, "this token may only look")

    async def _replay(self, terminal: Terminal) -> None:
        """The kept output of a closed terminal, within the viewer's credit, and its end."""
        kept = await db.run(transcripts.stored, terminal)
        # A viewer who has seen more than was kept keeps what they have seen.
        end = max(kept.start + len(kept.data), self._next or 0)
        is_there = self._next is not None and kept.start <= self._next <= end
        start = self._next if is_there and self._next is not None else kept.start
        rows, cols = kept.size_at(start) or (terminal.rows, terminal.cols)
        hello = wire.Welcome(
            offset=start, reset=not is_there, live_from=end, input=0, rows=rows, cols=cols, closed=True
        )
        hello.recording = terminal.is_recorded
        self._say(wire.encode_tell(hello))
        self._acknowledged = start
        for piece in kept.pieces(start):
            if isinstance(piece, wire.Size):
                self._say(wire.encode_tell(piece))
                continue
            offset, data = piece
            while offset - self._acknowledged >= WINDOW_BYTES:
                self._reader.changed.clear()
                await self._reader.changed.wait()
            self._say(wire.pack(0, offset, data))
        # Where its output ended, which may be after what was kept of it: the viewer sees what is missing.
        ended = wire.Ended(
            offset=max(end, kept.end),
            reason=terminal.reason or "lost",  # type: ignore[arg-type]
            exit_code=terminal.exit_code,
            message=terminal.message,
        )
        self._say(wire.encode_tell(ended))
        self._outgoing.put_nowait(None)
        await self.wait_for_end()

    def _say(self, message: bytes | str) -> None:
        self._queued += len(message)
        if self._queued > 4 * WINDOW_BYTES:
            self.end(base.TRY_AGAIN, "more was sent than there is credit for")
        self._outgoing.put_nowait(message)

    async def _write(self) -> None:
        while True:
            message = await self._outgoing.get()
            if message is None:
                raise base.Closed(NORMAL, "the terminal is closed")
            self._queued -= len(message)
            if isinstance(message, bytes):
                await self.send_bytes(message)
            else:
                await self.send_text(message)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await self.send_text('{"type":"heartbeat"}')
