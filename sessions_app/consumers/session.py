"""A browser's view of one session: its log from a cursor, then live, and its state; read-only."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from typing import Any
from urllib.parse import parse_qs

import msgspec

from openagent.lib import db, log
from sessions_app import feeds, relay
from sessions_app.consumers import base, counters, people, upkeep
from sessions_app.services import logs

CREDIT_CHARACTERS = 512 * 1024
"""So many may a browser leave unacknowledged before it gets nothing more; their bytes are never counted."""
HEARTBEAT_SECONDS = 10
PAGE = 500

_encoder = msgspec.json.Encoder()


class _Message(msgspec.Struct):
    type: str
    seq: int = 0


_decoder = msgspec.json.Decoder(_Message)


class SessionConsumer(people.PersonConsumer):
    """Sends hello, what was missed, then what happens; pauses while the browser does not acknowledge."""

    reader: feeds.Reader
    feed: feeds.Feed

    async def serve(self) -> None:
        """Authenticates, then runs until the browser goes, the login ends or the session is gone."""
        upkeep.ensure_running()
        self.session_id: uuid.UUID = self.scope["url_route"]["kwargs"]["session_id"]
        await self.sign_in()
        if not await db.run(logs.may_watch, session_id=self.session_id, user_id=self.login.user_id):
            raise base.Closed(base.GONE, "no such session")
        log.bind(session=self.session_id)
        self._unacknowledged: deque[tuple[int, int]] = deque()
        self._outstanding = 0
        self._seq = 0
        self.reader = feeds.Reader()
        upkeep.admit(self)
        # Watch first and read then: what happens in between is in the feed.
        self.feed = relay.watch(self.session_id, self.reader)
        counters.VIEWERS.inc()
        try:
            await base.run_together(self._read(), self._write(), self._beat(), self.wait_for_end())
        finally:
            counters.VIEWERS.dec()
            upkeep.viewers.discard(self)
            relay.unwatch(self.session_id, self.reader)

    async def _read(self) -> None:
        while True:
            message = people.decode(_decoder, await self.receive_text())
            if message.type == "ack":
                while self._unacknowledged and self._unacknowledged[0][0] <= message.seq:
                    self._outstanding -= self._unacknowledged.popleft()[1]
                self.reader.changed.set()

    async def _write(self) -> None:
        position = await self._greet()
        is_live = False
        last_state = self.feed.state_version
        while True:
            self.reader.changed.clear()
            if self.feed.is_gone:
                raise base.Closed(base.GONE, "the session was deleted")
            if self.feed.state_version > last_state:
                last_state = self.feed.state_version
                await self.send_text(f'{{"type":"state","state":{self.feed.state}}}')
            if self._outstanding <= CREDIT_CHARACTERS:
                if frame := self.feed.after(position):
                    position = feeds.Position(frame.gen, frame.last)
                    await self._send_events(frame.text, frame.last)
                    continue
                if self.feed.stored > position:
                    is_live = False
                    position = await self._catch_up(position)
                    continue
                if not is_live:
                    is_live = True
                    await self.send_text('{"type":"live"}')
            self._seq = position.seq
            await self.reader.changed.wait()

    async def _beat(self) -> None:
        """Tells the browser now and then that it has missed nothing."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await self.send_text(f'{{"type":"heartbeat","seq":{self._seq}}}')

    async def _greet(self) -> feeds.Position:
        """Sends hello; the place in the log from which this browser goes on."""
        asked = _parse_cursor(self.scope.get("query_string", b""))
        head = await db.run(logs.head, session_id=self.session_id)
        start, stored_of_generation = await db.run(
            logs.resume, session_id=self.session_id, gen=asked.gen, seq=asked.seq
        )
        if head is None:
            raise base.Closed(base.GONE, "no such session")
        await upkeep.refresh(self.session_id, self.feed, head)
        hello = f'{{"type":"hello","stored":{list(stored_of_generation)},"state":{self.feed.state}}}'
        await self.send_text(hello)
        counters.SOCKET_CONNECTS.labels("resumed" if asked.seq else "fresh").inc()
        return feeds.Position(*start)

    async def _catch_up(self, position: feeds.Position) -> feeds.Position:
        """Sends what is stored after `position`, page by page; where the log ended when it began."""
        end = self.feed.stored
        after_row = None
        while True:
            page = await db.run(
                logs.page,
                session_id=self.session_id,
                gen=position.gen,
                seq=position.seq,
                after_row=after_row,
                until=end.seq,
                limit=PAGE,
            )
            if page.events:
                after_row = page.events[-1]["seq"]
                await self._wait_for_credit()
                await self._send_events(_encode_events(page.events), after_row)
            if not page.has_more:
                return end

    async def _wait_for_credit(self) -> None:
        while self._outstanding > CREDIT_CHARACTERS:
            self.reader.changed.clear()
            await self.reader.changed.wait()

    async def _send_events(self, text: str, last: int) -> None:
        size = len(text)
        self._outstanding += size
        if self._unacknowledged and last < self._unacknowledged[-1][0]:
            # What a lost generation had shown was taken back, and numbers go on from before it: an
            # acknowledgement names no number as high as those any more.
            size += sum(waiting for _, waiting in self._unacknowledged)
            self._unacknowledged.clear()
        self._unacknowledged.append((last, size))
        await self.send_text(text)


def _encode_events(rows: list[dict[str, Any]]) -> str:
    return '{"type":"events","events":' + _encoder.encode(rows).decode() + "}"


def _parse_cursor(query_string: bytes) -> feeds.Position:
    """`after=GEN.SEQ`; anything else starts at the beginning."""
    values = parse_qs(query_string.decode("latin-1")).get("after", [""])
    gen, _, seq = values[0].partition(".")
    if (
        gen.isascii()
        and seq.isascii()
        and gen.isdigit()
        and seq.isdigit()
        and len(gen) < 10
        and len(seq) < 19
    ):
        return feeds.Position(int(gen), int(seq))
    return feeds.Position(0, 0)
