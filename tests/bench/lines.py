"""Viewers of a terminal for measurements, over the product's socket or the bare relay: typing and floods."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect

from sidecar.protocol import terminals as wire
from tests.bench import load
from tests.end_to_end.client import Client

ACK_BYTES = 32 * 1024
WARM_SECONDS = 1.0
"""A flood is counted from when it has come into its stride."""
READY = b"ready"
_KEYS = b"abcdefghijklmnopqrstuvwxyz"

ECHO = ["bash", "-c", "stty raw -echo; printf ready; exec cat"]
"""What is typed comes back from a program, not from the kernel."""
FLOOD = ["bash", "-c", f"stty -echo -icanon; printf ready; read -rn 1; exec yes {'x' * 79}"]
"""Lines of a usual length, with what the kernel does to their ends, as soon as a key is pressed."""


class Line(Protocol):
    """The bytes of one terminal, both ways."""

    async def write(self, data: bytes) -> None: ...

    async def read(self) -> bytes:
        """The next output; never empty."""


class BareLine:
    """Over the bare relay."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def write(self, data: bytes) -> None:
        await self._connection.send(data)

    async def read(self) -> bytes:
        message = await self._connection.recv()
        assert isinstance(message, bytes)
        return message


class TerminalLine:
    """Over the product's socket, as docs/terminals.md has it; nothing may break here."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._typed = 0
        self._next: int | None = None
        self._acknowledged = 0

    async def write(self, data: bytes) -> None:
        offset, self._typed = self._typed, self._typed + len(data)
        await self._connection.send(wire.pack(0, offset, data))

    async def read(self) -> bytes:
        while True:
            message = await self._connection.recv()
            if isinstance(message, bytes):
                return await self._take(message)
            self._hear(json.loads(message))

    async def _take(self, message: bytes) -> bytes:
        _, offset, data = wire.unpack(message)
        assert offset == self._next, f"output at {offset}, not at {self._next}"
        self._next = offset + len(data)
        if self._next - self._acknowledged >= ACK_BYTES or len(data) < wire.CHUNK_BYTES:
            self._acknowledged = self._next
            await self._connection.send(f'{{"type":"ack","offset":{self._next}}}')
        return data

    def _hear(self, message: dict[str, Any]) -> None:
        assert message["type"] not in ("reset", "exit"), message
        if message["type"] == "hello":
            assert self._next is None, "the link broke"
            self._next = self._acknowledged = message["offset"]


@asynccontextmanager
async def watched(client: Client, session: str, terminal: str) -> AsyncIterator[TerminalLine]:
    """A viewer of this terminal."""
    url = f"{client.url.replace('http', 'ws', 1)}/ws/sessions/{session}/terminals/{terminal}/"
    headers = {"authorization": f"Bearer {client.token}"}
    async with connect(
        f"{url}?client={uuid.uuid4()}&rows=24&cols=80", additional_headers=headers, compression=None
    ) as connection:
        yield TerminalLine(connection)


async def until_ready(line: Line) -> None:
    """Until the program waits for what is typed."""
    seen = b""
    while not seen.endswith(READY):
        seen += await line.read()


async def type_keys(line: Line, *, begin: float, count: int, rate: float, result: load.Result) -> None:
    """Types keys when they are due, from `begin` on by the loop's clock, and notes how late each came back.

    What comes back otherwise than it was typed counts as not come, and all that follows too.
    """
    typing = asyncio.ensure_future(_type(line, begin, count, rate, result))
    now, seen = asyncio.get_running_loop().time, 0
    while seen < count:
        data = await line.read()
        came_at = now()
        if data != bytes(_key(seen + place) for place in range(len(data))):
            break
        result.received += len(data)
        result.latencies += [(came_at - begin - (seen + place) / rate) * 1000 for place in range(len(data))]
        seen += len(data)
    await typing


async def _type(line: Line, begin: float, count: int, rate: float, result: load.Result) -> None:
    now = asyncio.get_running_loop().time
    for index in range(count):
        if (wait := begin + index / rate - now()) > 0:
            await asyncio.sleep(wait)
        await line.write(bytes([_key(index)]))
        result.sent += 1


def _key(index: int) -> int:
    return _KEYS[index % len(_KEYS)]


async def flood(line: Line, seconds: float) -> float:
    """Sets the flood off and reads it for so long; megabytes a second."""
    now = asyncio.get_running_loop().time
    await line.write(b"\n")
    begin = now() + WARM_SECONDS
    while now() < begin:
        await line.read()
    size, begin = 0, now()
    while now() < begin + seconds:
        size += len(await line.read())
    return size / (now() - begin) / 1e6
