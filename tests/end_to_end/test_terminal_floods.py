"""Terminals that get or give more than anybody reads: bounded memory, the right screen, quick neighbours."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from openagent.lib.data_dir import CHECKOUT
from tests import needs
from tests.bench import lines, load
from tests.end_to_end import memory, reference
from tests.end_to_end.client import Client, eventually, first_run
from tests.end_to_end.custom_agents import WORKING, register_working
from tests.end_to_end.terminal import TerminalClient
from tests.product import Product, running

pytestmark = [pytest.mark.variant, pytest.mark.timeout(600)]

FLOOD_SECONDS = 60.0
TYPING_SECONDS = 10.0
KEYS_A_SECOND = 20.0
WARM_SECONDS = 10.0
"""By then every buffer has been filled once."""
MOST_GROWTH_MB = 8.0
MOST_ADDED_MS = 20.0
SLOW_BYTES_PER_SECOND = 5000.0
PASTE_BYTES = 100_000_000
REST_SECONDS = 3.0
SECONDS = 300.0

DRAWING = r"""
import shutil, signal, sys
def draw(*_):
    rows = shutil.get_terminal_size().lines
    sys.stdout.write("\x1b[2J\x1b[%d;1H\x1b[7m the line that is drawn once \x1b[0m" % rows)
    for row in range(1, rows):
        sys.stdout.write("\x1b[%d;1H\x1b[3%dmrow %d\x1b[0m" % (row, row % 8, row))
    sys.stdout.flush()
draw()
for number in range(400_000):
    sys.stdout.write("\x1b[%d;30Hnumber %d" % (1 + number % 20, number))
sys.stdout.flush()
signal.signal(signal.SIGWINCH, draw)
sys.stdin.readline()
"""
"""Draws its screen once, then changes places of it, some 9 MB; when asked to it draws everything anew."""
PRINTING = r"for ((n = 1; n <= 4500; n++)); do printf '%d: a line \e[3%dmin colour\e[m\n' $n $((n % 8)); done"
"""Some 160 KB, which fit into the ring."""


@dataclass(frozen=True)
class Place:
    """A product with little room for output, so that a slow viewer falls out of it soon, and two sessions."""

    product: Product
    client: Client
    sessions: tuple[str, str]

    @contextmanager
    def terminal(self, *command: str, session: int = 0) -> Iterator[tuple[str, str]]:
        """A session, and a terminal in it that is removed in the end."""
        path = f"/sessions/{self.sessions[session]}/terminals/"
        asked = {"rows": 24, "cols": 80, "command": list(command)}
        terminal = str(self.client.post(path, asked)["id"])
        yield self.sessions[session], terminal
        self.client.call("DELETE", f"{path}{terminal}/")


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    needs.bubblewrap()
    with running(OPENAGENT_DRIVER="process", OPENAGENT_TERMINAL_RING_KB="256") as product:
        client = first_run(product.url)
        register_working(product.url)
        sessions = [client.new_session(agent=WORKING, mode="auto") for _ in range(2)]
        for session in sessions:
            client.post(f"/sessions/{session}/start/")
        for session in sessions:
            client.awake(session)
        yield Place(product, client, (sessions[0], sessions[1]))
        client.close()


class Growth:
    """Looks at the memory of everything now and then: from `begin` on nothing may grow."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._before: dict[str, float] = {}
        self._most: dict[str, float] = {}

    def begin(self) -> None:
        self._before = memory.of_all(self._product)
        assert len(self._before) > 8, self._before

    def look(self) -> None:
        for name, size in memory.of_all(self._product).items():
            self._most[name] = max(size, self._most.get(name, 0.0))

    def check(self) -> None:
        print({name: f"{size:.1f} -> {self._most.get(name, 0.0):.1f}" for name, size in self._before.items()})
        grown = {
            name: (size, self._before[name])
            for name, size in self._most.items()
            if name in self._before and size > self._before[name] + MOST_GROWTH_MB
        }
        assert not grown, grown


async def echo(client: Client, session: str, terminal: str, result: load.Result) -> None:
    """Keystrokes at a steady pace; all have to come back."""
    async with lines.watched(client, session, terminal) as line:
        await lines.until_ready(line)
        begin, count = asyncio.get_running_loop().time() + 0.2, round(TYPING_SECONDS * KEYS_A_SECOND)
        async with asyncio.timeout(TYPING_SECONDS + 60):
            await lines.type_keys(line, begin=begin, count=count, rate=KEYS_A_SECOND, result=result)
    assert result.received == result.sent


def measure(place: Place, result: load.Result) -> None:
    """Some typing in the second session."""
    with place.terminal(*lines.ECHO, session=1) as (session, terminal):
        asyncio.run(echo(place.client, session, terminal, result))


@contextmanager
def flooded(place: Place, session: str, terminal: str) -> Iterator[None]:
    """While somebody reads `yes` as fast as it comes."""
    reader = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.flood_viewer", place.client.url, session, terminal],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    reader.stdin.write(place.client.token + "\n")
    reader.stdin.flush()
    begin = time.monotonic()
    yield
    output, _ = reader.communicate()
    print(f"a flood of {int(output) / (time.monotonic() - begin) / 1e6:.1f} MB/s")
    assert int(output) > 100_000_000


def test_a_flood_takes_no_more_memory_and_hardly_any_time_of_another_session(place: Place) -> None:
    quiet, beside, growth = load.Result(), load.Result(), Growth(place.product)
    measure(place, quiet)
    with place.terminal(*lines.FLOOD) as (session, terminal), flooded(place, session, terminal):
        time.sleep(WARM_SECONDS)  # It is what is measured: nothing tells that all buffers are full.
        growth.begin()
        while beside.received < (FLOOD_SECONDS - WARM_SECONDS) * KEYS_A_SECOND:
            measure(place, beside)
            growth.look()
    # What else this machine does changes: so quiet is before and after.
    measure(place, quiet)
    quiet_p99, p99 = quiet.percentile(0.99), beside.percentile(0.99)
    print(f"echo p50 / p99: {quiet.percentile(0.5):.1f} / {quiet_p99:.1f} ms")
    print(f"beside the flood: {beside.percentile(0.5):.1f} / {p99:.1f} ms")
    growth.check()
    assert p99 <= max(2 * quiet_p99, quiet_p99 + MOST_ADDED_MS)


def screen_of(output: bytes) -> dict[str, Any]:
    """What can be seen of it without scrolling, by the reference."""
    encoded = base64.b64encode(output).decode()
    found = reference.shown([{"rows": 24, "cols": 80}, {"bytes": encoded}])
    top = len(found["lines"]) - 24
    x, y = found["cursor"]
    return {"lines": found["lines"][top:], "cursor": [x, y - top], "size": found["size"]}


def test_a_viewer_of_5_kb_a_second_costs_little_and_ends_at_the_right_screen(place: Place) -> None:
    growth = Growth(place.product)
    growth.begin()
    with (
        place.terminal("python3", "-c", DRAWING) as (session, drawn),
        place.terminal("bash", "-c", f"{PRINTING}; printf at-the-end; read x") as (_, printed),
        TerminalClient(place.client, session, printed, bytes_per_second=SLOW_BYTES_PER_SECOND) as alone,
        TerminalClient(place.client, session, drawn) as fast,
        TerminalClient(place.client, session, drawn, bytes_per_second=SLOW_BYTES_PER_SECOND) as slow,
    ):
        fast.shows(b"number 399999")

        def caught_up() -> bool:
            growth.look()
            return slow.place == fast.place and b"at-the-end" in alone.screen

        slow.until(caught_up, SECONDS)
        assert (slow.resets > 0, fast.resets, alone.resets) == (True, 0, 0)
        assert slow.complaints == fast.complaints == alone.complaints == []
        assert screen_of(bytes(slow.screen)) == screen_of(bytes(fast.screen))
        assert screen_of(bytes(fast.screen))["lines"][-1][0].startswith(" the line that is drawn once")
        text = [line for line, _ in screen_of(bytes(alone.screen))["lines"]]
        assert text[-2:] == ["4500: a line in colour", "at-the-end"]
    growth.check()


def test_100_mb_that_are_pasted_arrive_as_they_are_in_little_memory(place: Place) -> None:
    pasted = b"0123456789abcdef" * (PASTE_BYTES // 16)
    script = f"stty raw -echo; printf ready; head -c {PASTE_BYTES} | md5sum; read x"
    growth = Growth(place.product)
    with (
        place.terminal("bash", "-c", script) as (session, terminal),
        TerminalClient(place.client, session, terminal) as one,
    ):
        one.shows(b"ready")
        growth.begin()
        one.type(pasted)

        def arrived() -> bool:
            growth.look()
            return hashlib.md5(pasted).hexdigest().encode() in one.screen

        one.until(arrived, SECONDS)
        one.until(one.all_acknowledged)
        assert one.complaints == []
    growth.check()


def test_what_is_pasted_into_a_program_that_reads_nothing_stays_with_its_client(place: Place) -> None:
    growth = Growth(place.product)
    with (
        place.terminal("bash", "-c", "stty raw -echo; printf ready; sleep 1000") as (session, terminal),
        TerminalClient(place.client, session, terminal) as one,
    ):
        one.shows(b"ready")
        growth.begin()
        one.type(bytes(PASTE_BYTES))
        since = [0.0, 0.0]  # how much was acknowledged last, and when that changed

        def rests() -> bool:
            growth.look()
            if since[0] != one.acknowledged:
                since[:] = [one.acknowledged, time.monotonic()]
            return one.acknowledged > 0 and time.monotonic() - since[1] > REST_SECONDS

        one.until(rests)
        assert one.acknowledged < 1_000_000
        assert one.complaints == []
    # It can be closed all the same.
    eventually(
        lambda: not place.client.get(f"/sessions/{session}/terminals/")["results"], 60, lambda: "not closed"
    )
    growth.check()
