"""Copies bytes between the box and a host, each side as fast as the other reads, until both are done."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

PIECE_BYTES = 64 * 1024

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Counts:
    """Bytes that went to the host, and that came from it."""

    up: int = 0
    down: int = 0


async def run(box: Stream, outside: Stream, counts: Counts, *, idle_seconds: float) -> None:
    """Returns when both directions have ended, one broke, or neither had a byte for `idle_seconds`."""
    copies = {
        asyncio.create_task(_up(box[0], outside[1], counts)),
        asyncio.create_task(_down(outside[0], box[1], counts)),
    }
    try:
        await _ended(copies, counts, idle_seconds)
    finally:
        for copy in copies:
            copy.cancel()
        await asyncio.gather(*copies, return_exceptions=True)


async def _ended(copies: set[asyncio.Task[None]], counts: Counts, idle_seconds: float) -> None:
    waiting = copies
    while waiting:
        before = (counts.up, counts.down)
        done, waiting = await asyncio.wait(waiting, timeout=idle_seconds, return_when=asyncio.FIRST_COMPLETED)
        if any(copy.exception() for copy in done) or not (done or before != (counts.up, counts.down)):
            return


async def _up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: Counts) -> None:
    while piece := await reader.read(PIECE_BYTES):
        counts.up += len(piece)
        await _pass_on(piece, writer)
    _end(writer)


async def _down(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: Counts) -> None:
    while piece := await reader.read(PIECE_BYTES):
        counts.down += len(piece)
        await _pass_on(piece, writer)
    _end(writer)


async def _pass_on(piece: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(piece)
    await writer.drain()


def _end(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()
