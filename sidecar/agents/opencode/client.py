"""OpenCode's HTTP API through the box: one connection for each request, and the stream of its events.

What answers may be anything that listens on the port in the box: sizes and times are limited everywhere.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import h11

from sidecar.agents.base import AgentError, Box

READ_BYTES = 64 * 1024
MAX_HEADER_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 32 * 1024 * 1024
MAX_EVENT_BYTES = 8 * 1024 * 1024
HEARTBEAT_SECONDS = 30.0
"""OpenCode sends one every 10 s; when none comes for this long the stream is dead."""


class Unreachable(AgentError):
    """Nothing usable answered: not connected, cut, too slow, too long, or not HTTP."""


class Refused(AgentError):
    """The server answered with an error status."""

    def __init__(self, status: int, answer: object) -> None:
        super().__init__(f"The agent answered with status {status}.")
        self.status = status
        self.answer = answer


class Client:
    """Calls of one running server. Every call raises Unreachable or Refused."""

    def __init__(self, box: Box, port: int, password: str) -> None:
        self._box = box
        self.port = port
        self._authorization = b"Basic " + base64.b64encode(f"opencode:{password}".encode())

    async def get(self, path: str, *, seconds: float = 15.0) -> Any:
        """The decoded answer of a GET."""
        return await self._call("GET", path, None, seconds)

    async def post(self, path: str, body: object = None, *, seconds: float = 15.0) -> Any:
        """The decoded answer of a POST, None when it is empty."""
        return await self._call("POST", path, {} if body is None else body, seconds)

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """Events as they come, from a new connection; ends with Unreachable, never by itself."""
        try:
            async with self._exchange("GET", "/event", None) as exchange:
                await exchange.start(seconds=10.0)
                async for line in _lines(exchange):
                    event = _event(line)
                    if event is not None:
                        yield event
        except (OSError, TimeoutError, h11.ProtocolError) as error:
            raise Unreachable("The agent's stream of events was cut.") from error
        raise Unreachable("The agent ended its stream of events.")

    async def _call(self, method: str, path: str, body: object, seconds: float) -> Any:
        try:
            async with asyncio.timeout(seconds), self._exchange(method, path, body) as exchange:
                status = await exchange.head()
                raw = b"".join([piece async for piece in exchange.body(MAX_ANSWER_BYTES)])
        except (OSError, TimeoutError, h11.ProtocolError) as error:
            raise Unreachable("The agent does not answer.") from error
        answer = _decoded(raw)
        if status >= 400:
            raise Refused(status, answer)
        return answer

    @asynccontextmanager
    async def _exchange(self, method: str, path: str, body: object) -> AsyncIterator[_Exchange]:
        payload = b"" if body is None else json.dumps(body).encode()
        headers = [
            (b"Host", f"127.0.0.1:{self.port}".encode()),
            (b"Authorization", self._authorization),
            (b"Connection", b"close"),
        ]
        if body is not None:
            headers += [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(payload))]
        reader, writer = await self._box.connect(self.port)
        try:
            exchange = _Exchange(reader, writer)
            await exchange.send(h11.Request(method=method, target=path, headers=headers), payload)
            yield exchange
        finally:
            # Cut, not closed: nothing that is still to come matters, and a hostile peer could delay closing.
            writer.transport.abort()


class _Exchange:
    """One request and its answer on one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)

    async def send(self, request: h11.Request, payload: bytes) -> None:
        for event in (request, h11.Data(data=payload), h11.EndOfMessage()):
            self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()

    async def head(self) -> int:
        """The status; informational answers are skipped."""
        while not isinstance(event := await self._next(), h11.Response):
            if isinstance(event, h11.ConnectionClosed | h11.EndOfMessage):
                raise ConnectionError("no answer")
        return event.status_code

    async def start(self, *, seconds: float) -> None:
        """The status of a stream, which must be 200."""
        async with asyncio.timeout(seconds):
            status = await self.head()
        if status != 200:
            raise Refused(status, None)

    async def body(self, limit: int) -> AsyncIterator[bytes]:
        """The whole body, in pieces, at most `limit` bytes."""
        size = 0
        while isinstance(event := await self._next(), h11.Data):
            size += len(event.data)
            if size > limit:
                raise ConnectionError("the answer is too long")
            yield bytes(event.data)
        if not isinstance(event, h11.EndOfMessage):
            raise ConnectionError("the answer was cut")

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body of a stream without an end; TimeoutError when it falls silent."""
        while True:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                event = await self._next()
            if not isinstance(event, h11.Data):
                return
            yield bytes(event.data)

    async def _next(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(READ_BYTES))
        return event


async def _lines(exchange: _Exchange) -> AsyncIterator[bytes]:
    """Lines without their ends; one beyond the limit is left out."""
    buffer = bytearray()
    skipping = False
    async for piece in exchange.pieces():
        start = 0
        while (end := piece.find(b"\n", start)) >= 0:
            buffer += piece[start:end]
            if not skipping:
                yield bytes(buffer)
            buffer.clear()
            skipping, start = False, end + 1
        buffer += piece[start:]
        if len(buffer) > MAX_EVENT_BYTES:
            buffer.clear()
            skipping = True


def _event(line: bytes) -> dict[str, Any] | None:
    if not line.startswith(b"data:"):
        return None
    event = _decoded(line[5:])
    return event if isinstance(event, dict) else None


def _decoded(raw: bytes) -> Any:
    """JSON with whatever surrogates it holds (a strict decoder refuses them), None for anything else."""
    try:
        return json.loads(raw) if raw.strip() else None
    except (ValueError, RecursionError):
        return None
