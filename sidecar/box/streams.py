"""Copies bytes between two connections, with back-pressure and half-close, until both directions ended."""

from __future__ import annotations

import asyncio

CHUNK = 64 * 1024


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All bytes of `reader` to `writer`, and then its end; waits whenever the writer's peer does not read."""
    while True:
        chunk = await reader.read(CHUNK)
        if not chunk:
            break
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def join(
    left: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    right: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    """Copy both ways until both ends are done, or one breaks; then both are closed."""
    tasks = [
        asyncio.ensure_future(copy(left[0], right[1])),
        asyncio.ensure_future(copy(right[0], left[1])),
    ]
    try:
        await asyncio.gather(*tasks)
    except OSError:
        pass  # One end is gone, which is how connections end.
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        left[1].close()
        right[1].close()
