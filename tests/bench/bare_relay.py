"""The baseline: a relay of nothing but the `websockets` library, one producer to one browser per session.

`python -m tests.bench.bare_relay` prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, serve

_browsers: dict[str, ServerConnection] = {}


async def _relay(connection: ServerConnection) -> None:
    assert connection.request is not None
    role, _, session = connection.request.path.strip("/").partition("/")
    if role == "browser":
        _browsers[session] = connection
        await connection.wait_closed()
        return
    async for message in connection:
        await _browsers[session].send(message)


async def _main() -> None:
    async with serve(_relay, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
