"""What terminals need of a program on a terminal in the box."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Pty(Protocol):
    """A program on a terminal in the box, as `sidecar.box_process.BoxPty` has it."""

    @property
    def stream(self) -> asyncio.StreamReader: ...

    @property
    def stdin(self) -> asyncio.StreamWriter: ...

    async def wait(self) -> int: ...

    async def kill(self, signal: int, /) -> None: ...

    async def close(self) -> None: ...

    def resize(self, rows: int, cols: int, /) -> None: ...

    def redraw(self) -> None: ...
