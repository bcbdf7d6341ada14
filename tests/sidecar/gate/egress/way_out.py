"""The egress gate as the box sees it: a loopback address; names and far ends are of the test's own making."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sidecar.gate.egress import addresses
from sidecar.gate.egress.proxy import EgressGate, Limits
from sidecar.protocol import messages
from sidecar.protocol.egress import Egress
from sidecar.protocol.frames import PermissionAnswer

PUBLIC = "93.184.216.34"
FULL = Egress(policy="full")
LISTED = Egress(policy="allow-list", hosts=["example.com", "*.example.com"])
ASKING = Egress(policy="allow-list", ask=True)

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class WayOut:
    """A gate under test, what it told, which names it looked up and which addresses it went to."""

    gate: EgressGate
    port: int
    told: list[tuple[str, messages.Data]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    went: list[tuple[list[str], int]] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        streams = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(streams[1])
        return streams

    async def ask(self, request: bytes) -> bytes:
        """Everything that comes back until the gate closes."""
        reader, writer = await self.open()
        writer.write(request)
        writer.write_eof()
        async with asyncio.timeout(20):
            answer = await reader.read(-1)
        writer.close()
        return answer

    async def connect(self, authority: str) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
        """The head of the answer to a CONNECT, and the streams after it."""
        reader, writer = await self.open()
        writer.write(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        async with asyncio.timeout(20):
            return await reader.readuntil(b"\r\n\r\n"), reader, writer

    async def status(self, authority: str) -> int:
        head, _, writer = await self.connect(authority)
        writer.close()
        return int(head.split()[1])

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The data of the events of this kind."""
        return [messages.to_data(data) for each, data in self.told if each == kind]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that an event makes true."""
        async with asyncio.timeout(20):
            while not condition():
                self.heard.clear()
                await self.heard.wait()

    async def asked(self, count: int = 1) -> dict[str, Any]:
        """The latest question, once there are this many."""
        await self.until(lambda: len(self.of("permission.asked")) >= count)
        return self.of("permission.asked")[-1]

    def answer(self, question: dict[str, Any], choice: str) -> bool:
        order = PermissionAnswer(permission_id=question["permission_id"], choice=choice, user="Alice")  # type: ignore[arg-type]
        return self.gate.answer(order)

    async def close(self) -> None:
        """End the gate, and what the test has left open."""
        self.gate.finish()
        await self.gate.close()
        for writer in self.writers:
            writer.close()
        closing = [writer.wait_closed() for writer in self.writers]
        await asyncio.gather(*closing, return_exceptions=True)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says everything back, and ends when the other does."""
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def far_end(serve: Serve) -> AsyncIterator[int]:
    """The port of a server that plays every host."""
    ends: list[asyncio.Task[None]] = []

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)


@asynccontextmanager
async def way_out(
    egress: Egress,
    serve: Serve = echo,
    *,
    names: Mapping[str, list[str]] | None = None,
    limits: Limits | None = None,
    has_room: Callable[[], bool] = lambda: True,
) -> AsyncIterator[WayOut]:
    """A gate whose names are all public, but for `names`, and whose hosts are all played by `serve`."""

    async def resolve(host: str, port: int) -> list[str]:
        out.names.append(host)
        if names is not None and host not in names:
            raise addresses.Unreachable(f"There is no host {host}.")
        return names[host] if names is not None else [PUBLIC]

    async def connect(found: list[str], port: int) -> addresses.Stream:
        out.went.append((found, port))
        return await asyncio.open_connection("127.0.0.1", far)

    def emit(kind: str, data: messages.Data) -> None:
        out.told.append((kind, data))
        out.heard.set()

    gate = EgressGate(egress, emit, has_room=has_room, limits=limits, resolve=resolve, connect=connect)
    async with far_end(serve) as far:
        near = await asyncio.start_server(gate.handle, "127.0.0.1", 0)
        out = WayOut(gate, near.sockets[0].getsockname()[1])
        try:
            yield out
        finally:
            near.close()
            await out.close()
