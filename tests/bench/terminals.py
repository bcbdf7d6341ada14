"""Terminals in real boxes through the whole product, beside a bare PTY over a bare relay in the same run."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.client import connect

from openagent.lib.data_dir import CHECKOUT
from tests import figures
from tests.bench import lines, load
from tests.bench.lines import Line
from tests.end_to_end.client import Client, first_run
from tests.end_to_end.custom_agents import WORKING, register_working
from tests.product import Product, running

MOST_P50_MS = 10.0
MOST_P99_MS = 30.0
LEAST_SHARE = 0.25
"""Of the bare terminal's throughput."""
LEAD_SECONDS = 0.5
DRAIN_SECONDS = 30.0


@dataclass(frozen=True)
class Shape:
    """One is typed in, and one floods; then `sessions` have `each`, of which every fifth is typed in fast."""

    keys: int = 1000
    rate: float = 50.0
    flood_seconds: float = 6.0
    sessions: int = 10
    each: int = 10
    crowd_seconds: float = 20.0
    fast: float = 10.0
    slow: float = 1.0

    def __str__(self) -> str:
        fast = len(range(0, self.terminals, 5))
        paces = f"{fast} at {self.fast:.0f} keys/s, the others at {self.slow:.0f}"
        return f"one at {self.rate:.0f} keys/s; {self.terminals} in {self.sessions} sessions, {paces}"

    @property
    def terminals(self) -> int:
        """How many there are at once in the end."""
        return self.sessions * self.each


@dataclass
class Measured:
    """What was seen of terminals of one kind."""

    echo: load.Result = field(default_factory=load.Result)
    flood: float = 0.0
    crowd: load.Result = field(default_factory=load.Result)


def measure(shape: Shape) -> tuple[Measured, Measured]:
    """The baseline, which has neither a box nor a platform nor users, and the product."""
    bare = _measure_bare(shape)
    with running(OPENAGENT_DRIVER="process") as product:
        return bare, _measure_product(product, shape)


def _measure_bare(shape: Shape) -> Measured:
    relay = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bare_relay"],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert relay.stdin is not None and relay.stdout is not None
    try:
        return asyncio.run(_bare(shape, relay.stdout.readline().strip()))
    finally:
        relay.stdin.close()
        relay.wait(10)
        relay.stdout.close()


async def _bare(shape: Shape, port: str) -> Measured:
    found = Measured()
    async with _bare_line(port, "echo", lines.ECHO) as line:
        await _echo(shape, line, found)
    async with _bare_line(port, "flood", lines.FLOOD) as line:
        found.flood = await lines.flood(line, shape.flood_seconds)
    return found


@asynccontextmanager
async def _bare_line(port: str, name: str, command: Sequence[str]) -> AsyncIterator[Line]:
    async with connect(f"ws://127.0.0.1:{port}/browser/{name}", compression=None) as browser:
        program = [sys.executable, "-m", "tests.bench.bare_pty", port, name, *command]
        terminal = subprocess.Popen(program, cwd=CHECKOUT)
        try:
            line = lines.BareLine(browser)
            await lines.until_ready(line)
            yield line
        finally:
            terminal.kill()
            terminal.wait(10)


def _measure_product(product: Product, shape: Shape) -> Measured:
    """Its sessions have an agent that has nothing to do."""
    client = first_run(product.url)
    try:
        register_working(product.url)
        sessions = [client.new_session(agent=WORKING, mode="auto") for _ in range(shape.sessions)]
        found = Measured()
        asyncio.run(_alone(client, sessions[0], shape, found))
        asyncio.run(_crowd(client, sessions, shape, found))
        return found
    finally:
        client.close()


async def _alone(client: Client, session: str, shape: Shape, found: Measured) -> None:
    _start(client, session)
    async with _our_line(client, session, lines.ECHO) as line:
        await _echo(shape, line, found)
    async with _our_line(client, session, lines.FLOOD) as line:
        found.flood = await lines.flood(line, shape.flood_seconds)


async def _crowd(client: Client, sessions: Sequence[str], shape: Shape, found: Measured) -> None:
    for session in sessions:
        _start(client, session)
    async with AsyncExitStack() as stack:
        places = [session for session in sessions for _ in range(shape.each)]
        crowd = [await stack.enter_async_context(_our_line(client, place, lines.ECHO)) for place in places]
        begin = asyncio.get_running_loop().time() + LEAD_SECONDS
        work = []
        for number, line in enumerate(crowd):
            rate = shape.slow if number % 5 else shape.fast
            phase = number / len(crowd) / rate
            count = round(shape.crowd_seconds * rate)
            work.append(
                lines.type_keys(line, begin=begin + phase, count=count, rate=rate, result=found.crowd)
            )
        with contextlib.suppress(TimeoutError):  # Then it shows how many did not come.
            async with asyncio.timeout(shape.crowd_seconds + DRAIN_SECONDS):
                await asyncio.gather(*work)


def _start(client: Client, session: str) -> None:
    client.post(f"/sessions/{session}/start/")
    client.status(session, "ready")


@asynccontextmanager
async def _our_line(client: Client, session: str, command: Sequence[str]) -> AsyncIterator[Line]:
    asked = {"rows": 24, "cols": 80, "command": list(command)}
    terminal = str(client.post(f"/sessions/{session}/terminals/", asked)["id"])
    async with lines.watched(client, session, terminal) as line:
        await lines.until_ready(line)
        yield line
    client.call("DELETE", f"/sessions/{session}/terminals/{terminal}/")


async def _echo(shape: Shape, line: Line, found: Measured) -> None:
    begin = asyncio.get_running_loop().time() + LEAD_SECONDS
    async with asyncio.timeout(shape.keys / shape.rate + DRAIN_SECONDS):
        await lines.type_keys(line, begin=begin, count=shape.keys, rate=shape.rate, result=found.echo)


def table(shape: Shape, bare: Measured, ours: Measured) -> list[str]:
    """What was measured, and whether the goals are met."""
    both = (bare, ours)
    rows = [
        (f"echo of a keystroke {name}, ms", *(f"{each.echo.percentile(share):.2f}" for each in both))
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]
    rows.append(("flood of one, MB/s", *(f"{each.flood:.1f}" for each in both)))
    crowd = " / ".join(f"{ours.crowd.percentile(share):.2f}" for share in (0.5, 0.99))
    rows.append((f"{shape.terminals} at once: echo p50 / p99, ms", "", crowd))
    rows.append((f"{shape.terminals} at once: keystrokes", "", str(ours.crowd.sent)))
    verdicts = [(*goal, "met" if is_met else "MISSED") for *goal, is_met in _goals(bare, ours)]
    return [
        *figures.table(["terminals", "bare PTY and relay", "OpenAgent"], [("load", str(shape), ""), *rows]),
        "",
        *figures.table(["goal", "measured", "wanted", ""], verdicts),
    ]


def is_met(bare: Measured, ours: Measured) -> bool:
    """Whether all goals are."""
    return all(is_met for *_, is_met in _goals(bare, ours))


def _goals(bare: Measured, ours: Measured) -> list[tuple[str, str, str, bool]]:
    p50, p99 = (ours.echo.percentile(share) for share in (0.5, 0.99))
    share = ours.flood / bare.flood
    lost = ours.echo.sent - ours.echo.received + ours.crowd.sent - ours.crowd.received
    return [
        ("echo of a keystroke p50, ms", f"{p50:.2f}", f"<= {MOST_P50_MS:.0f}", p50 <= MOST_P50_MS),
        ("echo of a keystroke p99, ms", f"{p99:.2f}", f"<= {MOST_P99_MS:.0f}", p99 <= MOST_P99_MS),
        ("flood / bare terminal's", f"{share:.2f}", f">= {LEAST_SHARE:.2f}", share >= LEAST_SHARE),
        ("keystrokes lost or doubled", str(lost), "0", lost == 0),
    ]
