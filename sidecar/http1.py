"""The server's side of HTTP/1.1 over one pair of streams: reads requests, writes answers, nothing else.

It knows no routes and opens no sockets. The peer is untrusted: header and body sizes are limited, a malformed
request is answered once and ends the connection, and writing waits for the peer to read (`drain`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import h11

READ_BYTES = 64 * 1024
CLOSE_SECONDS = 5.0
Headers = Sequence[tuple[bytes, bytes]]


class PeerGone(Exception):
    """The peer closed the connection, or broke HTTP, before the exchange was complete."""


class BadRequest(Exception):
    """The request cannot be served; `status` is the answer that HTTP has for it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Limits:
    """What one peer may send, in bytes; how long until a request and within one, in seconds."""

    header_bytes: int = 64 * 1024
    body_bytes: int = 32 * 1024 * 1024
    idle_seconds: float = 600.0
    stall_seconds: float = 60.0


@dataclass(frozen=True)
class Request:
    """The head of a request; header names are lower case. Its body is read with `Connection.body`."""

    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]

    def header(self, name: bytes) -> bytes:
        """The first value of `name`, empty when absent."""
        return next((value for key, value in self.headers if key == name), b"")


@dataclass
class Connection:
    """One connection: `request`, `body`, then `start`/`send`/`end` or `respond`; again while kept alive."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=self.limits.header_bytes)
        self._pipelined = 0
        self._is_body_read = True

    async def request(self) -> Request | None:
        """The next request, None when the peer is done. BadRequest when what came is not one."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._pipelined = 0
        elif self._http.our_state is not h11.IDLE or self._http.their_state is not h11.IDLE:
            return None
        try:
            async with asyncio.timeout(self.limits.idle_seconds):
                event = await self._event()
        except (TimeoutError, PeerGone):
            return None
        if not isinstance(event, h11.Request):
            return None
        self._is_body_read = False
        return Request(event.method.decode("ascii"), event.target, tuple(event.headers))

    async def body(self) -> AsyncIterator[bytes]:
        """The request's body, piece by piece as it arrives; BadRequest 413 beyond the limit."""
        if self._http.they_are_waiting_for_100_continue:
            await self._write(h11.InformationalResponse(status_code=100, headers=[]))
        length = 0
        while isinstance(event := await self._body_event(), h11.Data):
            length += len(event.data)
            if length > self.limits.body_bytes:
                raise BadRequest(413, "the request is larger than the limit")
            yield bytes(event.data)
        self._is_body_read = True

    async def whole_body(self) -> bytes:
        """The request's body in one piece."""
        return b"".join([piece async for piece in self.body()])

    async def discard(self) -> None:
        """Read what is left of the request's body for nothing."""
        if not self._is_body_read:
            async for _ in self.body():
                pass

    async def respond(self, status: int, headers: Headers, body: bytes, *, reason: bytes = b"") -> None:
        """A whole answer. The rest of the request is read first: a peer that still sends reads no answer."""
        with contextlib.suppress(BadRequest):
            await self.discard()
        await self.start(status, [*headers, (b"content-length", str(len(body)).encode())], reason=reason)
        if body:
            await self.send(body)
        await self.end()

    async def start(self, status: int, headers: Headers, *, reason: bytes = b"") -> None:
        """Status and headers; without content-length the body is sent in chunks."""
        await self._write(h11.Response(status_code=status, headers=list(headers), reason=reason))

    async def send(self, data: bytes) -> None:
        """A piece of the body; returns when the peer keeps up."""
        await self._write(h11.Data(data=data))

    async def end(self) -> None:
        """The end of the answer."""
        await self._write(h11.EndOfMessage())

    async def gone(self) -> None:
        """Returns when the peer closes; requests that it sends meanwhile are kept. May be cancelled."""
        while self._pipelined <= self.limits.header_bytes:
            data = await self._read()
            if not data:
                return
            self._pipelined += len(data)
        # It sends so much ahead that it must be there; what it sends further waits until it is its turn.
        await asyncio.Event().wait()

    def surplus(self) -> bytes:
        """After a CONNECT was answered: what the peer has sent on already, which is not HTTP any more."""
        return self._http.trailing_data[0]

    @property
    def answer_started(self) -> bool:
        """True when a status line has been sent for the current request."""
        return self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE)

    def abort(self) -> None:
        """Cut the connection now: the peer sees an answer without an end."""
        self.writer.transport.abort()

    async def close(self) -> None:
        """Close after what was written is sent; a peer that does not read it in time is cut."""
        self.writer.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.writer.wait_closed()
        except TimeoutError:
            self.abort()
        except OSError:
            return

    async def _body_event(self) -> object:
        try:
            async with asyncio.timeout(self.limits.stall_seconds):
                return await self._event()
        except TimeoutError as error:
            raise BadRequest(408, "the rest of the request did not come") from error

    async def _event(self) -> object:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise BadRequest(error.error_status_hint, "malformed HTTP request") from error
            if event is h11.NEED_DATA:
                await self._read()
            elif isinstance(event, h11.ConnectionClosed):
                raise PeerGone
            else:
                return event

    async def _read(self) -> bytes:
        try:
            data = await self.reader.read(READ_BYTES)
        except OSError as error:
            raise PeerGone from error
        try:
            self._http.receive_data(data)
        except RuntimeError as error:
            # h11 refuses bytes after an end of file: the peer is gone already.
            raise PeerGone from error
        return data

    async def _write(self, event: h11.Event) -> None:
        if self._http.our_state in (h11.ERROR, h11.MUST_CLOSE, h11.CLOSED):
            raise PeerGone
        data = self._http.send(event)
        try:
            if data:
                self.writer.write(data)
                await self.writer.drain()
        except OSError as error:
            raise PeerGone from error
