"""One life of a sidecar, from the first hello to the last command, against a platform in memory."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sidecar import config
from sidecar.protocol import frames, queries
from tests.fakes.pair import Pair
from tests.fakes.station import Station


async def test_from_hello_to_ready(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.station.until(lambda: bool(pair.station.hellos))
        hello = pair.station.hellos[0]
        assert (hello.gen, hello.last_seq, hello.last_command) == (0, 0, 0)
        assert (hello.instance, hello.token) == (pair.station.instance, "token-of-the-instance")
        pair.station.next_seq = 413
        await pair.ready()
        await pair.station.until(lambda: len(pair.station.stages) >= 4 and bool(pair.station.done))
        assert [stage.stage for stage in pair.station.stages] == ["sidecar", "box", "agent", "ready"]
        elapsed = [stage.elapsed_ms for stage in pair.station.stages]
        assert elapsed == sorted(elapsed) and 0 <= elapsed[-1] < 10_000
        first = pair.station.stored[0]
        assert first.seq == 413 and first.gen == 1 and first.turn is None
        (started,) = pair.station.datas("instance.started")
        assert started["agent"] == {"id": "scripted", "name": "Scripted", "version": "1.0"}
        assert started["model"] == "m1" and started["driver"] == "fake"
        assert pair.station.done[-1] == frames.CommandDone(number=1)
        assert pair.agent.context is not None and pair.agent.context.gate_port == 7001


async def test_a_repeated_command_is_carried_out_once(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = await pair.play("say once")
        for _ in range(3):
            pair.station.send(frames.Commands(commands=pair.station.commands))
        await pair.play("say twice")
        assert pair.agent.prompts == ["say once", "say twice"]
        assert pair.station.kinds().count("turn.started") == 2
        assert pair.end_of(turn) is not None


@pytest.mark.parametrize(
    ("gate", "agent", "hang"), [(5.0, 300.0, 600.0), (240.0, 300.0, 600.0), (1800.0, 1860.0, 3720.0)]
)
async def test_the_agent_waits_longer_for_a_silent_provider_than_the_gate(
    tmp_path: Path, gate: float, agent: float, hang: float
) -> None:
    async with Pair(tmp_path, limits=config.Limits(silence_seconds=gate)) as pair:
        await pair.ready()
        assert pair.agent.context is not None
        assert (pair.agent.context.silence_seconds, pair.agent.context.hang_seconds) == (agent, hang)


async def test_a_lost_command_is_asked_for_again(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        connection = pair.station.connection
        pair.station.connection = None
        first = pair.station.start_turn("say first")  # nobody sends it
        pair.station.connection = connection
        pair.station.order(frames.TurnCancel(turn=first))  # arrives with a gap before it
        await pair.ended(first)
        assert len(pair.station.hellos) == 2 and pair.station.hellos[1].last_command == 1


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (frames.Command(number=2, verb="box.open", data={}), "unknown_verb"),
        (frames.Command(number=2, verb="turn.start", data={"turn": 7}), "malformed"),
        (frames.Command(number=2, verb="turn.start", data={}), "malformed"),
    ],
)
async def test_a_command_that_makes_no_sense_is_refused(
    tmp_path: Path, command: frames.Command, error: str
) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        pair.station.commands.append(command)
        pair.station.send(frames.Commands(commands=[command]))
        await pair.station.until(lambda: pair.station.done[-1].number == 2)
        assert pair.station.done[-1].error == error
        await pair.play("say fine")


async def test_nothing_but_a_claim_is_taken_before_it_and_only_one(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        pair.station.start_turn("say early")
        await pair.station.until(lambda: len(pair.station.done) == 1)
        assert pair.station.done[0].error == "not_ready"
        await pair.ready()
        number = pair.station.claim()
        await pair.station.until(lambda: pair.station.done[-1].number == number)
        assert pair.station.done[-1].error == "claimed_already"


async def test_a_passing_refusal_is_tried_again(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        pair.station.refusal = frames.Refused(code="busy", message="Later.", final=False)
        while len(pair.station.hellos) < 3:
            await asyncio.sleep(0.01)
        pair.station.refusal = None
        await pair.ready()


async def query(station: Station, verb: Any, data: dict[str, Any]) -> frames.Answer:
    count = len(station.answers)
    station.send(frames.Query(id=f"q{count}", verb=verb, data=data))
    await station.until(lambda: len(station.answers) > count)
    assert station.answers[-1].id == f"q{count}"
    return station.answers[-1]


async def test_files_are_asked_for_over_the_link(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        listing = await query(pair.station, "files.list", {"path": ""})
        assert queries.read_list(listing.data) == queries.FileList(path="", entries=[], truncated=False)
        content = await query(pair.station, "files.read", {"path": "a.txt"})
        assert queries.read_content(content.data).end
        assert (await query(pair.station, "files.read", {"path": 5})).error == "invalid"


async def test_health_says_what_is(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        assert pair.sidecar.instance is not None
        health = pair.sidecar.instance.health
        assert not health().is_ready
        await pair.station.until(lambda: bool(pair.station.stages))
        assert health().is_ready and health().is_linked  # a pool member is ready to be claimed
        await pair.ready()
        await pair.station.until(lambda: len(pair.station.stages) == 4)
        assert health().is_ready and health().stage == "ready"
        await pair.platform.stop()
        while health().is_linked:
            await asyncio.sleep(0.01)
        assert not health().is_ready
