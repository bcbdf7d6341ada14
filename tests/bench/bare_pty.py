"""The baseline's terminal: a program on a PTY whose bytes go over the bare relay, both ways.

`python -m tests.bench.bare_pty PORT NAME COMMAND...` until it is ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence

from websockets.asyncio.client import ClientConnection, connect

from sidecar.protocol.terminals import CHUNK_BYTES


async def _main(port: str, name: str, command: Sequence[str]) -> None:
    master, slave = os.openpty()
    subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    os.set_blocking(master, False)
    async with connect(f"ws://127.0.0.1:{port}/producer/{name}", compression=None) as relay:
        await asyncio.gather(_show(master, relay), _type(relay, master))


async def _show(master: int, relay: ClientConnection) -> None:
    is_there = asyncio.Event()
    asyncio.get_running_loop().add_reader(master, is_there.set)
    while True:
        await is_there.wait()
        is_there.clear()
        while chunk := _read(master):
            await relay.send(chunk)


def _read(master: int) -> bytes:
    """What there is, joined up to a chunk: the kernel gives a page at a time."""
    chunk = b""
    with contextlib.suppress(BlockingIOError):
        while len(chunk) < CHUNK_BYTES:
            chunk += os.read(master, CHUNK_BYTES - len(chunk))
    return chunk


async def _type(relay: ClientConnection, master: int) -> None:
    async for message in relay:
        assert isinstance(message, bytes)
        os.write(master, message)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], sys.argv[3:]))
