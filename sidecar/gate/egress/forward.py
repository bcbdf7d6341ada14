"""One plain HTTP request of the box, said anew to the host that was checked, and its answer back.

Both are read and written by h11, so neither side sees how the other framed them. What is meant for one
connection only stays on it. The request goes up whole before the answer comes down.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import h11

from sidecar.gate.egress.policy import Target
from sidecar.gate.egress.tunnel import PIECE_BYTES, Counts, Stream
from sidecar.http1 import Request

_HOP = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect", b"host"),
    }
)

Headers = Sequence[tuple[bytes, bytes]]


class NoAnswer(Exception):
    """The host did not answer as HTTP does; nothing has reached the box."""


class Broken(Exception):
    """The answer ended in its midst: what the box has of it must not look whole."""


class Side(Protocol):
    """The box's side: where the request's body comes from, and the answer goes to."""

    def body(self) -> AsyncIterator[bytes]: ...

    async def start(self, status: int, headers: Headers, /, *, reason: bytes = b"") -> None: ...

    async def send(self, data: bytes, /) -> None: ...

    async def end(self) -> None: ...


@dataclass
class Exchange:
    """One request and its answer; `run` is all of it."""

    box: Side
    request: Request
    target: Target
    asked: str
    outside: Stream
    counts: Counts
    idle_seconds: float
    default_port: int = 80
    _http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))

    async def run(self) -> None:
        """NoAnswer, Broken; BadRequest and PeerGone are the box's doing."""
        with suppress(OSError):
            # A host that has enough of it may have answered before it hung up.
            await self._send()
        answer = await self._head()
        headers = _passed_on(answer.headers)
        await self.box.start(answer.status_code, headers, reason=bytes(answer.reason))
        try:
            while isinstance(event := await self._event(), h11.Data):
                await self.box.send(bytes(event.data))
        except NoAnswer:
            raise Broken from None
        await self.box.end()

    async def _send(self) -> None:
        host = str(self.target).removesuffix(f":{self.default_port}").encode()
        headers = [(b"host", host), *_passed_on(self.request.headers), (b"connection", b"close")]
        has_length = any(name == b"content-length" for name, _ in headers)
        if not has_length and self.request.header(b"transfer-encoding"):
            headers.append((b"transfer-encoding", b"chunked"))
        await self._write(h11.Request(method=self.request.method, target=self.asked, headers=headers))
        async for piece in self.box.body():
            await self._write(h11.Data(data=piece))
        await self._write(h11.EndOfMessage())

    async def _write(self, event: h11.Event) -> None:
        data = self._http.send(event) or b""
        self.counts.up += len(data)
        self.outside[1].write(data)
        async with asyncio.timeout(self.idle_seconds):
            await self.outside[1].drain()

    async def _head(self) -> h11.Response:
        while not isinstance(event := await self._event(), h11.Response):
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                raise NoAnswer
        return event

    async def _event(self) -> object:
        while (event := self._next()) is h11.NEED_DATA:
            try:
                async with asyncio.timeout(self.idle_seconds):
                    data = await self.outside[0].read(PIECE_BYTES)
            except OSError:
                raise NoAnswer from None
            self.counts.down += len(data)
            self._http.receive_data(data)
        return event

    def _next(self) -> object:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError:
            raise NoAnswer from None


def _passed_on(headers: Headers) -> list[tuple[bytes, bytes]]:
    named = b",".join(value for name, value in headers if name == b"connection")
    # What says how long a message is may not be called something of the connection's.
    hop = _HOP | {name.strip().lower() for name in named.split(b",")} - {b"content-length"}
    return [(name, value) for name, value in headers if name not in hop]
