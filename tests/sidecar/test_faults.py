"""Faults in mid-stream: what is stored is what the agent said, once and in order, whatever breaks."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
import uuid
from pathlib import Path

import pytest

from sidecar import config, outbox
from sidecar.ending import Exit
from sidecar.link import Timing
from sidecar.protocol import frames, messages
from tests.fakes import sidecar as sidecars
from tests.fakes.disk import BadDisk
from tests.fakes.pair import Pair
from tests.fakes.platform import FakePlatform
from tests.fakes.station import Faults, Station

PIECES = 400


def streamed(count: int = PIECES) -> str:
    return "".join(f"[{number}]" for number in range(count))


def check_numbers(events: list[messages.Event]) -> None:
    numbers = [event.seq for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_a_link_that_is_cut_twenty_times_loses_and_repeats_nothing(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        # On a quick machine, too, it is not over before the last cut.
        turn = pair.station.start_turn(f"stream {2 * PIECES} 3")
        for cut in range(20):
            seen = len(pair.station.stored)
            await pair.station.until(lambda: len(pair.station.stored) > seen)  # noqa: B023
            pair.station.cut()
            await pair.station.until(lambda: len(pair.station.hellos) >= cut + 2)  # noqa: B023
        await pair.ended(turn)
        assert pair.station.text() == streamed(2 * PIECES)
        check_numbers(pair.station.stored)
        assert pair.station.kinds().count("turn.started") == 1


async def played(pair: Pair, script: str) -> str:
    """A whole turn. What is lost is noticed with what comes after it, and at the end with the next link."""
    turn = pair.station.start_turn(script)
    while pair.end_of(turn) is None:
        try:
            await pair.station.until(lambda: pair.end_of(turn) is not None, 2.0)
        except TimeoutError:
            pair.station.cut()
    return turn


@pytest.mark.parametrize("seed", range(4))
async def test_a_link_that_loses_repeats_and_breaks_delivers_everything_once(
    tmp_path: Path, seed: int
) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        pair.station.faults = Faults(lose=0.03, repeat=0.1, cut=0.03, mute=0.2, random=random.Random(seed))
        for count in (PIECES // 4, 0, PIECES // 4):
            await played(pair, f"stream {count} 2\ntool bash\nthink a while")
        pair.station.faults = Faults()
        pair.station.cut()
        pair.sidecar.stop()
        assert await pair.exit() is Exit.STOPPED
        assert pair.station.text() == streamed(PIECES // 4) * 2
        check_numbers(pair.station.stored)


async def test_a_platform_that_restarts_finds_everything(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn(f"stream {PIECES} 2")
        for _ in range(3):
            await asyncio.sleep(0.1)
            await pair.platform.stop()
            await asyncio.sleep(0.1)
            await pair.platform.start()
        await pair.ended(turn)
        assert pair.station.text() == streamed()
        check_numbers(pair.station.stored)


async def _said_hello(station: Station, *, times: int) -> None:
    await station.until(lambda: len(station.hellos) >= times)


@pytest.mark.parametrize("count", [50, pytest.param(200, marks=pytest.mark.variant)])
async def test_many_sidecars_come_back_within_five_seconds(tmp_path: Path, count: int) -> None:
    """With the real timing; the prompt of each runs once and its text arrives whole."""
    loop = asyncio.get_running_loop()
    async with Pair(tmp_path) as first:
        crowd = [
            sidecars.FakeSidecar(
                instance=str(number),
                token="t" * 10,
                link={"unix": str(first.platform.path)},
                journal=tmp_path / f"journal-{number}",
                timing=Timing(),
            )
            for number in range(count)
        ]
        stations = [first.platform.station(str(number)) for number in range(count)]
        for each in crowd:
            each.start()
        for station in stations:
            station.claim()
            await station.until(lambda: "instance.started" in station.kinds())  # noqa: B023
        await first.platform.stop()
        await asyncio.sleep(3.0)
        await first.platform.start()
        restarted = loop.time()
        await asyncio.gather(*(_said_hello(station, times=2) for station in stations))
        assert loop.time() - restarted < 5.0
        await asyncio.gather(*(each.kill() for each in crowd))


async def watchful(pair: Pair) -> None:
    """Its sidecar begins again, and takes the other end for dead after 0.4 s of silence."""
    await pair.sidecar.kill()
    pair.sidecar._timing = Timing(ping=0.1, dead=0.4, first_retry=0.02, last_retry=0.1)
    pair.sidecar.start()
    await pair.ready()


async def test_standing_still_oneself_is_not_the_other_ends_silence(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await watchful(pair)
        links = len(pair.station.hellos)
        for _ in range(5):
            time.sleep(0.6)  # what a busy machine does to the whole process
            await asyncio.sleep(0.05)  # nothing is on its way when it happens again
        await pair.play("say hello")
        assert len(pair.station.hellos) == links


@pytest.mark.parametrize("direction", ["nothing arrives", "nothing is read"])
async def test_a_half_open_connection_is_noticed(tmp_path: Path, direction: str) -> None:
    async with Pair(tmp_path) as pair:
        await watchful(pair)
        links = len(pair.station.hellos)
        turn = pair.station.start_turn("stream 100000 0" if direction == "nothing is read" else "wait")
        await pair.station.until(lambda: "turn.started" in pair.station.kinds())
        assert pair.station.connection is not None
        loop = asyncio.get_running_loop()
        transport = pair.station.connection.transport
        if direction == "nothing is read":
            transport.pause_reading()
        else:
            # The kernel takes what is sent, and no one at the other end ever does.
            transport.write = lambda _data: None  # type: ignore[assignment, method-assign]
            transport.writelines = lambda _data: None  # type: ignore[assignment, method-assign]
        begun = loop.time()
        await pair.station.until(lambda: len(pair.station.hellos) > links)
        # A busy machine is given more time; by itself the connection would stay as it is.
        assert loop.time() - begun < 10.0
        pair.station.order(frames.TurnCancel(turn=turn))
        await pair.ended(turn)
        check_numbers(pair.station.stored)


async def test_a_platform_that_acknowledges_nothing_holds_the_agent_up_and_then_lets_it_go(
    tmp_path: Path,
) -> None:
    limits = config.Limits(journal_bytes=300_000, events_per_second=1e6, bytes_per_second=1e9)
    async with Pair(tmp_path, limits=limits) as pair:
        await pair.ready()
        pair.station.acknowledges = False
        turn = pair.station.start_turn("bulk 400 15000")
        instance = pair.sidecar.instance
        assert instance is not None
        while instance.health().unstored_bytes < 300_000:
            await asyncio.sleep(0.02)
        held = instance.health().unstored_bytes
        for _ in range(10):
            await asyncio.sleep(0.02)
        assert instance.health().unstored_bytes <= held + outbox.BATCH_BYTES
        disk = sum(path.stat().st_size for path in pair.journal.iterdir())
        assert disk < 300_000 + 2 * outbox.BATCH_BYTES + 300_000
        pair.station.acknowledges = True
        pair.station.cut()
        await pair.ended(turn)
        assert len(pair.station.text()) == 400 * 15_000


async def test_a_full_disk_is_shown_and_the_turn_goes_on_when_there_is_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "RETRY_SECONDS", 0.02)
    bad = BadDisk(tmp_path / "journal")
    async with Pair(tmp_path, disk=bad.disk()) as pair:
        await pair.ready()
        turn = pair.station.start_turn(f"stream {PIECES} 2")
        await pair.station.until(lambda: len(pair.station.text()) > 100)
        bad.room = 0
        await pair.station.until(lambda: "error" in pair.station.kinds())
        (error,) = pair.station.datas("error")
        assert error["class"] == "disk_full"
        seen = len(pair.station.stored)
        await asyncio.sleep(0.1)
        assert len(pair.station.stored) == seen and pair.end_of(turn) is None
        bad.room = 1 << 30
        await pair.ended(turn)
        assert pair.station.text() == streamed()
        check_numbers(pair.station.stored)


@pytest.mark.parametrize("how", ["cancelled", "stopped"])
async def test_orders_are_heard_while_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(outbox, "RETRY_SECONDS", 0.02)
    bad = BadDisk(tmp_path / "journal")
    async with Pair(tmp_path, disk=bad.disk()) as pair:
        await pair.ready()
        bad.room = 0
        turn = pair.station.start_turn("say never")
        await pair.station.until(lambda: "error" in pair.station.kinds())
        if how == "cancelled":
            number = pair.station.order(frames.TurnCancel(turn=turn))
        else:
            number = pair.station.order(frames.InstanceStop(reason="user"))
        await pair.station.until(lambda: pair.station.done[-1].number == number)
        bad.room = 1 << 30
        await pair.ended(turn)
        end = pair.end_of(turn)
        assert end == {"stop_reason": "cancelled" if how == "cancelled" else "interrupted"}
        assert pair.agent.prompts == []


@pytest.mark.parametrize(
    "raw",
    [
        "{",
        '{"type":"shout"}',
        '{"type":"ack","seq":"1"}',
        '{"type":"goodbye","reason":"x"}',
        "[" * 100_000,
    ],
)
async def test_a_frame_that_makes_no_sense_costs_a_reconnect_and_nothing_else(
    tmp_path: Path, raw: str
) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        assert pair.station.connection is not None
        await pair.station.connection.send(raw)
        await pair.station.until(lambda: len(pair.station.hellos) == 2)
        await pair.play("say fine")


async def test_an_oversized_frame_costs_a_reconnect_and_nothing_else(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        assert pair.station.connection is not None
        await pair.station.connection.send(" " * (frames.MAX_FRAME_BYTES + 1))
        await pair.station.until(lambda: len(pair.station.hellos) == 2)
        await pair.play("say fine")


async def test_an_agent_that_floods_is_counted_and_its_turn_still_ends(tmp_path: Path) -> None:
    limits = config.Limits(events_per_second=100)
    async with Pair(tmp_path, limits=limits) as pair:
        await pair.ready()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        turn = await pair.play("flood 20000\nsay that was it")
        assert loop.time() - begun < 60, "at 100 a second it would take minutes"
        suppressed = sum(int(str(data["count"])) for data in pair.station.datas("events.suppressed"))
        assert suppressed + pair.station.kinds().count("file.changed") == 20_000
        assert pair.station.text() == "that was it " and pair.end_of(turn) is not None


async def test_the_streaming_sidecar_streams(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with FakePlatform(Path(folder) / "link.sock") as platform:
            instance = str(uuid.uuid4())
            station = platform.station(instance)
            station.claim()
            sidecar = sidecars.StreamingSidecar(
                instance=instance, token="t", link={"unix": str(platform.path)}
            )
            running = asyncio.create_task(sidecar.run(count=20, interval=0.005))
            await sidecar.is_ready.wait()
            station.start_turn("go")
            await station.until(lambda: "turn.ended" in station.kinds())
            assert station.text() == "".join(sidecar.sent)
            station.cut()
            await running
