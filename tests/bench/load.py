"""Open-loop load: many producers at a fixed pace, one browser each, latency from the scheduled time."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from websockets.asyncio.client import ClientConnection

_STAMP = re.compile(r"@(\d+)@")
_TICKS = os.sysconf("SC_CLK_TCK")
_PADDING = "x" * 60


def stamped(scheduled_ns: int) -> str:
    """A text of about the size of a few tokens that says when it should have been sent."""
    return f"@{scheduled_ns}@{_PADDING}"


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes so far."""
    return sum(_cpu_ticks(pid) for pid in pids) / _TICKS


def _cpu_ticks(pid: int) -> int:
    fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@dataclass
class Result:
    """What one run of a load saw; latencies in milliseconds."""

    sent: int = 0
    received: int = 0
    cpu: float = 0.0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def cpu_per_frame_us(self) -> float:
        """Processor time of the server for each frame that reached a browser, in microseconds."""
        return self.cpu / max(1, self.received) * 1e6

    def percentile(self, share: float) -> float:
        """The latency that this share of all frames did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


@dataclass
class Load:
    """`sessions` producers at `rate` frames a second for `seconds`."""

    sessions: int = 100
    rate: float = 20.0
    seconds: float = 30.0

    def __str__(self) -> str:
        return f"{self.sessions} sessions, {self.rate:.0f} frames/s each, for {self.seconds:.0f} s"

    @property
    def frames(self) -> int:
        """How many frames each producer sends."""
        return round(self.rate * self.seconds)

    async def produce(self, number: int, begin: float, send: Callable[[int, int], Awaitable[None]]) -> None:
        """Sends this producer's frames when they are due, with their index and scheduled time in ns."""
        loop = asyncio.get_running_loop()
        phase = number / self.sessions / self.rate
        for index in range(self.frames):
            due = begin + phase + index / self.rate
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            await send(index, round(due * 1e9))


def observe(text: str, result: Result) -> int:
    """Counts the stamped frames in a message; how many there were."""
    now = time.monotonic_ns()
    stamps = _STAMP.findall(text)
    result.received += len(stamps)
    result.latencies.extend((now - int(stamp)) / 1e6 for stamp in stamps)
    return len(stamps)


async def consume(connection: ClientConnection, frames: int, result: Result) -> None:
    """Reads until all frames were seen."""
    seen = 0
    async for message in connection:
        seen += observe(str(message), result)
        if seen >= frames:
            return
