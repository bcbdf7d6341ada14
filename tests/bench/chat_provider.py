"""A provider for measurements: it streams stamped chunks of a chat completion at the pace of the request.

`python -m tests.bench.chat_provider` prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys
import time

import msgspec

from tests.bench import load

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_END = (
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\ndata: [DONE]\n\n'
)


class Pace(msgspec.Struct):
    """`count` chunks from `begin` (monotonic seconds), `gap` seconds apart; 0: at once."""

    count: int
    begin: float
    gap: float


class Body(msgspec.Struct):
    """What it reads of a request."""

    pace: Pace


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            await _play(msgspec.json.decode(await reader.readexactly(length), type=Body).pace, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _play(pace: Pace, writer: asyncio.StreamWriter) -> None:
    writer.write(_HEAD)
    for index in range(pace.count):
        due = pace.begin + index * pace.gap
        if (wait := due - time.monotonic()) > 0 and pace.gap:
            await asyncio.sleep(wait)
        writer.write(_chunk(_event(round(due * 1e9))))
        await writer.drain()
    writer.write(_chunk(_END) + b"0\r\n\r\n")
    await writer.drain()


def _event(stamp: int) -> bytes:
    choice = b'{"index":0,"delta":{"content":"%s"}}' % load.stamped(stamp).encode()
    return b'data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[%s]}\n\n' % choice


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=1024)
    async with server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
