"""A box whose connections can be cut from outside, as if something on the way had died."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sidecar.agents.base import Box, Process


class CuttableBox:
    """Passes every order on to another box."""

    def __init__(self, box: Box) -> None:
        self.connections = 0
        self._box = box
        self._writers: list[asyncio.StreamWriter] = []

    async def exec(self, argv: Sequence[str], /, *, env: Mapping[str, str], cwd: str) -> Process:
        return await self._box.exec(argv, env=env, cwd=cwd)

    async def connect(self, port: int, /) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await self._box.connect(port)
        self.connections += 1
        self._writers = [each for each in self._writers if not each.is_closing()] + [writer]
        return reader, writer

    def cut(self) -> None:
        """Cut every connection that is open."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
