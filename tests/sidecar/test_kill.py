"""kill -9 at any moment, again and again: acknowledged is stored, stored is a beginning of what was said."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import uuid
from pathlib import Path

import pytest

from sidecar.protocol import messages
from tests.fakes.platform import FakePlatform
from tests.fakes.station import Station


def said(events: list[messages.Event]) -> str:
    return "".join(event.data["text"] for event in events if event.kind == "message.delta")


def check(events: list[messages.Event]) -> None:
    """The log of one generation has no gap and no repeat, and its text is a beginning."""
    numbers = [event.seq for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    text = said(events)
    everything = "".join(f"[{number}]" for number in range(5000))
    assert everything.startswith(text)


async def begin(platform: FakePlatform, station: Station, folder: Path) -> asyncio.subprocess.Process:
    configuration = folder / "config.json"
    content = {
        "instance": station.instance,
        "token": "token",
        "link": {"unix": str(platform.path)},
        "journal": str(folder / "journal"),
    }
    configuration.write_text(json.dumps(content))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.sidecar_program", str(configuration)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    station.claim()
    await station.until(lambda: "instance.started" in station.kinds())
    return process


@pytest.mark.slow
@pytest.mark.parametrize("lives", [6, pytest.param(24, marks=pytest.mark.variant)])
async def test_a_sidecar_that_is_killed_at_any_moment(tmp_path: Path, lives: int) -> None:
    chance = random.Random(20261122)
    async with FakePlatform(Path(f"/tmp/kill-{uuid.uuid4().hex[:8]}.sock")) as platform:
        station = platform.station(str(uuid.uuid4()))
        process = await begin(platform, station, tmp_path)
        for _ in range(lives):
            turn = station.start_turn("stream 5000 1")
            if chance.random() < 0.8:
                await station.until(lambda: "turn.started" in station.kinds())  # noqa: B023
            station.acknowledges = chance.random() < 0.7
            await asyncio.sleep(chance.uniform(0, 0.3))
            process.kill()
            await process.wait()
            # What it sent before may arrive after that.
            await station.until(lambda: station.connection is None)  # noqa: B023
            previous, station = station, platform.station(str(uuid.uuid4()))
            station.session, station.gen = previous.session, previous.gen + 1
            station.salvaged_to = {previous.gen: previous.last_seq}
            station.next_seq = previous.last_seq + 1
            # The successor is the next that is killed.
            process = await begin(platform, station, tmp_path)
            assert {event.gen for event in station.salvaged} <= {previous.gen}
            log = previous.stored + station.salvaged
            check(log)
            begun = [event for event in log if event.kind == "turn.started"]
            # Whether the turn may run again is decided by this event alone.
            assert [event.turn for event in begun] in ([turn], [])
        process.kill()
        await process.wait()
        platform.path.unlink(missing_ok=True)
