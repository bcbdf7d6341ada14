"""A box program that lies: it speaks the box protocol by hand, so that a test can break it as it likes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sidecar.box_server import BoxServer, GateHandler, Limits

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class HostileBox:
    """The far end of a BoxServer, with nothing automatic about it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: list[asyncio.StreamWriter] = []

    async def open(self, first: bytes) -> Connection:
        """A connection that begins with these bytes."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        self._opened.append(writer)
        writer.write(first)
        return reader, writer

    async def greet(self, **hello: Any) -> Connection:
        return await self.open(json.dumps(hello).encode() + b"\n")

    async def control(self, *, ready: bool = True) -> Control:
        """The control connection; with `ready` it claims that its listeners are open."""
        reader, writer = await self.greet(hello="control", version=1)
        control = Control(reader, writer)
        if ready:
            order = await control.order()
            control.reply(id=order["id"], ok=True, ports=order["gates"])
        return control

    async def close(self) -> None:
        for writer in self._opened:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in self._opened), return_exceptions=True)


class Control:
    """A hostile control connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def order(self) -> Any:
        """The next order of the sidecar."""
        return json.loads(await self.reader.readline())

    def reply(self, **reply: Any) -> None:
        self.writer.write(json.dumps(reply).encode() + b"\n")


@asynccontextmanager
async def hostile_box(
    folder: Path, gates: Mapping[str, GateHandler] | None = None, *, limits: Limits | None = None
) -> AsyncIterator[tuple[BoxServer, HostileBox]]:
    """A box server and its liar; nothing is connected yet."""
    gates = gates or {}
    server = BoxServer(folder / "box.sock", gates, gate_ports=dict.fromkeys(gates, 7001), limits=limits)
    await server.start()
    box = HostileBox(folder / "box.sock")
    try:
        yield server, box
    finally:
        await box.close()
        await server.close()
