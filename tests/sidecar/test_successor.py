"""After a sidecar was killed: its successor salvages a beginning of what was said, and nothing twice."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from sidecar.protocol import frames, messages
from tests.fakes.pair import Pair
from tests.fakes.station import Faults, Station

PIECES = 400


def streamed(count: int = PIECES) -> str:
    return "".join(f"[{number}]" for number in range(count))


def check_numbers(events: list[messages.Event]) -> None:
    numbers = [event.seq for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def killed_and_resumed(pair: Pair, *, pieces: int, after: float) -> tuple[str, str]:
    """Kill the sidecar in mid-turn; the text that the platform had, and what it has after salvage."""
    turn = pair.station.start_turn(f"stream {pieces} 1")
    await pair.station.until(lambda: "turn.started" in pair.station.kinds())
    await asyncio.sleep(after)
    await pair.sidecar.kill()
    old = pair.station
    before = old.text()
    new = await pair.next_generation()
    await pair.ready()
    assert all(event.gen == old.gen for event in new.salvaged)
    assert not {event.seq for event in new.salvaged} & {event.seq for event in old.stored}
    old.stored.extend(new.salvaged)
    check_numbers(old.stored)
    assert all(event.turn in (turn, None) for event in new.salvaged)
    return before, old.text()


async def test_a_killed_sidecar_leaves_a_beginning_of_what_was_said(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with Pair(tmp_path) as pair:
        await pair.ready()
        for _ in range(12):
            before, after = await killed_and_resumed(pair, pieces=200, after=chance.uniform(0, 0.2))
            assert after.startswith(before) and streamed(200).startswith(after)
            await pair.play("say next")
            pair.station.stored[:] = pair.station.stored[-1:]


async def test_what_is_journaled_while_the_platform_is_away_is_salvaged(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        pair.station.acknowledges = False
        turn = pair.station.start_turn("say heard\nstream 50 1\nsay unheard")
        await pair.station.until(lambda: "turn.started" in pair.station.kinds())
        await pair.platform.stop()
        async with asyncio.timeout(20):
            while not any(b'"turn.ended"' in path.read_bytes() for path in pair.journal.glob("*.journal")):
                await asyncio.sleep(0.02)
        await pair.sidecar.kill()
        await pair.platform.start()
        old = pair.station
        await pair.next_generation()
        await pair.ready()
        old.stored.extend(pair.station.salvaged)
        assert old.text() == f"heard {streamed(50)}unheard "
        assert [event.kind for event in old.stored if event.turn == turn][-1] == "turn.ended"
        # What was salvaged is gone from the journal.
        await pair.sidecar.kill()
        await pair.next_generation()
        await pair.ready()
        assert [event for event in pair.station.salvaged if event.turn == turn] == []


async def test_salvage_survives_a_link_that_breaks_in_its_midst(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.salvage.FRAME_BYTES", 2000)
    async with Pair(tmp_path) as pair:
        await pair.ready()
        pair.station.acknowledges = False
        await pair.platform.stop()
        instance = pair.sidecar.instance
        assert instance is not None and instance._session is not None
        box = instance._session.outbox
        assert box is not None
        for number in range(300):
            box.emit("file.changed", messages.FileChanged(path=f"file-{number}"))
        await box.durable()
        await pair.sidecar.kill()
        await pair.platform.start()
        new = await pair.next_generation()
        new.faults = Faults(repeat=0.2, cut=0.2, random=random.Random(3))
        new.claim()
        await new.until(lambda: new.first_seq > 0)
        new.faults = Faults()
        new.cut()
        await new.until(lambda: "instance.started" in new.kinds())
        paths = [event.data["path"] for event in new.salvaged if event.kind == "file.changed"]
        assert paths == [f"file-{number}" for number in range(300)]


async def test_a_salvage_that_the_platform_does_not_know_is_kept(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        pair.station.acknowledges = False
        await pair.play("say kept")
        await pair.sidecar.kill()
        new = await pair.next_generation()
        new.salvaged_to = {1: -1}
        new._salvage = lambda frame: frames.SalvageAck(  # type: ignore[method-assign]
            gen=frame.gen, seq=0, next_seq=_first(new) if frame.done else 0
        )
        await pair.ready()
        assert any(path.name.startswith("0000000001") for path in pair.journal.iterdir())


def _first(station: Station) -> int:
    station.first_seq = station.next_seq
    return station.first_seq
