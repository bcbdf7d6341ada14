"""Sends one reply over one connection: whole or as a paced stream, or fails as the script says."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from sidecar.demo_model import play
from sidecar.demo_model.play import Played
from sidecar.demo_model.scripts import Failure
from sidecar.demo_model.wires.base import Asked, Text, Wire
from sidecar.http1 import Connection, Headers, PeerGone

KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
_JSON = (b"content-type", b"application/json")
_STREAM = (b"content-type", b"text/event-stream")
_BEFORE_CUT_SECONDS = 0.1
_GARBAGE = b'data: {"choices": [ }}} \xff\xfe this is not JSON\n\ndata: neither is this\n\n'


@dataclass
class Exchange:
    """One request and what became of it; `text` is what was sent to be shown, as far as it got."""

    method: str
    target: str
    headers: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)
    wire: str = ""
    script: str = ""
    step: int = 0
    status: int = 0
    text: str = ""
    outcome: str = "open"
    size: int = 0

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def key(self) -> str:
        """The key that came with the request."""
        values = (self.headers.get(name, "") for name in KEY_HEADERS)
        return next((value.removeprefix("Bearer ") for value in values if value), "")


@dataclass
class Performance:
    """An exchange under way; every method sends one whole answer, and `exchange` tells how it went."""

    connection: Connection
    exchange: Exchange
    pace: float

    async def play(self, wire: Wire, asked: Asked, played: Played) -> None:
        """The reply that was asked for."""
        if played.is_late:
            await asyncio.sleep(played.seconds)
        self.exchange.status = 200
        if played.page:
            await self.connection.respond(200, [(b"content-type", b"text/html")], played.page.encode())
        elif asked.stream:
            await self._stream(wire, asked, played)
        else:
            await self._whole(wire, played)

    async def fail(self, wire: Wire | None, failure: Failure, *, retry_after: float = 0.0) -> None:
        """An error of the API; `retry_after` seconds are named in its header."""
        fault = play.fault(failure)
        headers = [(b"retry-after", f"{retry_after:g}".encode())] if retry_after else []
        body = wire.error(fault) if wire else {"error": {"message": fault.message}}
        await self.json(fault.status, body, headers=headers)

    async def json(self, status: int, body: dict[str, Any], *, headers: Headers = ()) -> None:
        """A whole JSON answer."""
        self.exchange.status = status
        await self.connection.respond(status, [_JSON, *headers], json.dumps(body).encode())

    async def _stream(self, wire: Wire, asked: Asked, played: Played) -> None:
        pace = self.pace if played.pace is None else played.pace
        await self.connection.start(200, [_STREAM, (b"cache-control", b"no-cache")])
        for frame in wire.stream(played.reply, usage=asked.wants_usage):
            if frame.paced and pace:
                await asyncio.sleep(pace)
            await self.connection.send(frame.data)
            self.exchange.text += frame.text
            if frame.event == "pause":
                await asyncio.sleep(played.seconds)
            elif frame.event is not None:
                self.exchange.outcome = frame.event
                break
        if self.exchange.outcome == "cut":
            # Clients throw away what arrives together with the break.
            await asyncio.sleep(_BEFORE_CUT_SECONDS)
            self._cut()
        if self.exchange.outcome == "garbage":
            await self.connection.send(_GARBAGE)
        elif self.exchange.outcome == "error":
            await self.connection.send(wire.stream_error(play.fault(Failure(529, "unavailable"))))
        await self.connection.end()

    async def _whole(self, wire: Wire, played: Played) -> None:
        events = [part.event for part in played.reply.parts if isinstance(part, Text) and part.event]
        if not events or events[0] == "pause":
            await asyncio.sleep(played.seconds if events else 0)
            self.exchange.text = played.reply.text
            await self.json(200, wire.whole(played.reply))
            return
        self.exchange.outcome = events[0]
        await self.connection.start(200, [_JSON])
        await self.connection.send(b'{"id": ')
        if events[0] == "cut":
            self._cut()
        await self.connection.end()

    def _cut(self) -> None:
        self.connection.abort()
        raise PeerGone
