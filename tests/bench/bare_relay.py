"""The baseline: a relay of nothing but the `websockets` library, one producer to one browser per session.

What a browser says goes the other way. `python -m tests.bench.bare_relay` prints its port and serves until
its standard input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

_OTHER = {"browser": "producer", "producer": "browser"}
_ends: dict[tuple[str, str], ServerConnection] = {}


async def _relay(connection: ServerConnection) -> None:
    assert connection.request is not None
    role, _, session = connection.request.path.strip("/").partition("/")
    _ends[role, session] = connection
    with contextlib.suppress(ConnectionClosed):  # The other end, or this one, was ended.
        async for message in connection:
            await _ends[_OTHER[role], session].send(message)


async def _main() -> None:
    async with serve(_relay, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
