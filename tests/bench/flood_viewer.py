"""A viewer that sets a flood off and reads it as fast as it comes, in a process of its own.

`python -m tests.bench.flood_viewer URL SESSION TERMINAL` takes a token from its first line of input, and when
its input ends it prints how many bytes came.
"""

from __future__ import annotations

import asyncio
import sys

from tests.bench import lines
from tests.end_to_end.client import Client


class _Flood:
    """What came so far."""

    def __init__(self, client: Client, session: str, terminal: str) -> None:
        self.size = 0
        self._place = (client, session, terminal)

    async def read(self) -> None:
        async with lines.watched(*self._place) as line:
            await lines.until_ready(line)
            await line.write(b"\n")
            while True:
                self.size += len(await line.read())


async def _main(url: str, session: str, terminal: str) -> None:
    flood = _Flood(Client(url, sys.stdin.readline().strip()), session, terminal)
    reading = asyncio.create_task(flood.read())
    over = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    done, _ = await asyncio.wait((reading, over), return_when=asyncio.FIRST_COMPLETED)
    if reading in done:
        reading.result()
    reading.cancel()
    print(flood.size, flush=True)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
