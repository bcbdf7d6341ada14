"""Streams of a model through the proxies of many sessions, beside the same streams without any proxy."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from openagent.lib.data_dir import CHECKOUT
from tests import figures
from tests.bench import load
from tests.bench.chat_provider import Pace

MOST_ADDED_P50_MS = 1.0
LEAD_SECONDS = 3.0
"""All streams are open before the first chunk is due."""
PATIENCE_SECONDS = 120.0

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[int], Awaitable[Stream]]


@dataclass(frozen=True)
class Shape:
    """`gates` sessions have `streams` streams of `rate` chunks a second; then `burst` chunks each at once."""

    streams: int = 200
    gates: int = 10
    rate: float = 20.0
    seconds: float = 15.0
    burst: int = 500

    def __str__(self) -> str:
        return f"{self.streams} streams of {self.gates} sessions, {self.rate:.0f} chunks/s each"


@dataclass
class Measured:
    """The same streams at a pace and as fast as they go."""

    paced: load.Result
    burst: load.Result

    @property
    def per_second(self) -> float:
        """Chunks of the burst that arrived each second."""
        return self.burst.received / self.burst.seconds


def measure(shape: Shape) -> tuple[Measured, Measured]:
    """Without a proxy, and through it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="oa-")))
        provider, port = stack.enter_context(_program("tests.bench.chat_provider"))
        gates, paths = set(), [str(folder / f"{number}.sock") for number in range(shape.gates)]
        for path in paths:
            url = f"http://127.0.0.1:{port}/v1"
            gates.add(stack.enter_context(_program("tests.bench.model_gate", path, url))[0])
        direct = _measure(shape, {provider}, lambda number: asyncio.open_connection("127.0.0.1", int(port)))
        proxied = _measure(
            shape, gates, lambda number: asyncio.open_unix_connection(paths[number % len(paths)])
        )
    return direct, proxied


def table(shape: Shape, direct: Measured, proxied: Measured) -> list[str]:
    """What was measured, and whether the goal is met."""
    both = (direct, proxied)
    rows = [
        (f"latency of a chunk {name}, ms", *(f"{each.paced.percentile(share):.2f}" for each in both))
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]
    rows.append(("chunks sent at that pace", *(str(each.paced.sent) for each in both)))
    rows.append(("chunks that arrived", *(str(each.paced.received) for each in both)))
    rows.append(("CPU of all proxies per chunk, us", "", f"{proxied.paced.cpu_per_frame_us:.0f}"))
    rows.append(("chunks/s as fast as it goes", *(f"{each.per_second:.0f}" for each in both)))
    added = [proxied.paced.percentile(share) - direct.paced.percentile(share) for share in (0.5, 0.99)]
    verdict = "met" if is_met(direct, proxied) else "MISSED"
    goal = f"{added[0]:.2f} / {added[1]:.2f}", f"p50 <= {MOST_ADDED_P50_MS:.0f}: {verdict}"
    return [
        *figures.table(["model proxy", "direct", "through it"], [("load", str(shape), ""), *rows]),
        "",
        *figures.table(["goal", "measured", "wanted"], [("added latency p50 / p99, ms", *goal)]),
    ]


def is_met(direct: Measured, proxied: Measured) -> bool:
    """Everything arrived, and hardly later."""
    added = proxied.paced.percentile(0.5) - direct.paced.percentile(0.5)
    arrived = all(each.paced.received == each.paced.sent for each in (direct, proxied))
    return arrived and added <= MOST_ADDED_P50_MS


@contextmanager
def _program(module: str, *arguments: str) -> Iterator[tuple[int, str]]:
    """A program of ours that says a line when it is ready; its process id and the line."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield process.pid, process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def _measure(shape: Shape, pids: set[int], connect: Connect) -> Measured:
    count, gap = round(shape.rate * shape.seconds), 1 / shape.rate
    paced = asyncio.run(_stream(shape, pids, connect, count, gap))
    return Measured(paced, asyncio.run(_stream(shape, pids, connect, shape.burst, 0.0)))


async def _stream(shape: Shape, pids: set[int], connect: Connect, count: int, gap: float) -> load.Result:
    result = load.Result(sent=shape.streams * count)
    streams = [await connect(number) for number in range(shape.streams)]
    begin = time.monotonic() + (LEAD_SECONDS if gap else 0.0)
    cpu, started = load.cpu_seconds(pids), time.monotonic()
    # Evenly spread over the gap, or all would come at one moment.
    paces = [Pace(count, begin + number / shape.streams * gap, gap) for number in range(shape.streams)]
    async with asyncio.timeout(PATIENCE_SECONDS + count * gap):
        await asyncio.gather(*map(_follow, streams, paces, [result] * shape.streams))
    result.seconds = time.monotonic() - started
    result.cpu = load.cpu_seconds(pids) - cpu
    return result


async def _follow(stream: Stream, pace: Pace, result: load.Result) -> None:
    reader, writer = stream
    body = msgspec.json.encode({"model": "m", "stream": True, "messages": [], "pace": pace})
    head = f"POST /groq/v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    held = whole = ""
    while "data: [DONE]" not in whole:
        piece = await reader.read(65536)
        assert piece, "a stream broke off"
        # A stamp may come in two pieces: only whole events are looked at.
        whole, _, held = (held + piece.decode()).rpartition("\n\n")
        load.observe(whole, result)
    writer.close()
