"""A provider that does exactly what a test says, byte for byte; it shares no code with the gate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Received:
    """One request as it arrived."""

    head: bytes
    body: bytes = b""
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n")[0].decode()

    def headers(self, name: str) -> list[str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = [line.partition(":") for line in lines]
        return [value.strip() for key, _, value in pairs if key.lower() == name]


@dataclass
class FakeProvider:
    """Listens on loopback and answers each request with the next of its replies (the last one for ever)."""

    replies: list[Reply]
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    _open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def close(self) -> None:
        """Hang up; returns when every conversation has ended, so that none outlives its test."""
        for writer in self._open.values():
            writer.transport.abort()
        if self._open:
            await asyncio.wait(self._open, timeout=10)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            await self.converse(reader, writer)
        finally:
            del self._open[task]

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        request: Received | None = None
        try:
            while True:
                request = Received((await reader.readuntil(b"\r\n\r\n"))[:-4])
                self.received.append(request)
                # Before its body is read: meanwhile another one may come.
                reply = self.replies[min(len(self.received), len(self.replies)) - 1]
                await self._read_body(reader, request)
                answering = asyncio.ensure_future(reply(writer))
                watching = asyncio.ensure_future(reader.read(1))
                done, _ = await asyncio.wait((answering, watching), return_when=asyncio.FIRST_COMPLETED)
                if watching in done:
                    answering.cancel()
                    request.closed.set()
                    return
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                await answering
                if writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            if request is not None:
                request.closed.set()
        finally:
            writer.close()

    async def _read_body(self, reader: asyncio.StreamReader, request: Received) -> None:
        if lengths := request.headers("content-length"):
            request.body = await reader.readexactly(int(lengths[0]))
        elif request.headers("transfer-encoding") == ["chunked"]:
            while size := int(await reader.readline(), 16):
                request.body += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)


@asynccontextmanager
async def fake_provider(*replies: Reply, port: int = 0) -> AsyncIterator[FakeProvider]:
    """A listening FakeProvider."""
    provider = FakeProvider(list(replies))
    server = await asyncio.start_server(provider.serve, "127.0.0.1", port)
    provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        server.close()
        await provider.close()


def whole(status: int, body: bytes, *headers: str, kind: str = "application/json") -> Reply:
    """A complete answer."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        lines = [
            f"HTTP/1.1 {status} Status",
            f"content-type: {kind}",
            f"content-length: {len(body)}",
            *headers,
        ]
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        await writer.drain()

    return reply


def stream(
    *steps: bytes | float | asyncio.Event, end: str = "whole", kind: str = "text/event-stream"
) -> Reply:
    """A chunked answer: pieces to send, seconds or events to wait for; `end` is whole, cut or fin."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(
            f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        )
        for step in steps:
            if isinstance(step, bytes):
                writer.write(b"%x\r\n%s\r\n" % (len(step), step))
                await writer.drain()
            elif isinstance(step, asyncio.Event):
                await step.wait()
            else:
                await asyncio.sleep(step)
        if end == "whole":
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        elif end == "cut":
            writer.transport.abort()
        else:
            writer.close()

    return reply


def raw(data: bytes) -> Reply:
    """Any bytes, and the end of the connection."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return reply
