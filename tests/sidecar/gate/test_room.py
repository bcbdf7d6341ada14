"""Who waits for room gets it in turn, and what is given back or given up is nobody's."""

from __future__ import annotations

import asyncio

import pytest

from sidecar.gate.room import Room


async def waits(room: Room, size: int) -> asyncio.Task[None]:
    taking = asyncio.create_task(room.take(size))
    await asyncio.sleep(0)
    return taking


async def test_what_does_not_fit_waits_in_turn() -> None:
    room = Room(10)
    await room.take(6)
    large, small = await waits(room, 7), await waits(room, 1)
    assert not large.done()
    assert not small.done(), "it came later"
    room.give_back(6)
    await asyncio.gather(large, small)
    assert not (await waits(room, 3)).done()


async def test_who_gives_up_takes_nothing_and_holds_up_nobody() -> None:
    room = Room(10)
    await room.take(6)
    large, small = await waits(room, 10), await waits(room, 4)
    large.cancel()
    await small
    room.give_back(10)
    await asyncio.wait_for(room.take(10), 1)


async def test_who_gives_up_in_the_moment_of_getting_it_gives_it_back() -> None:
    room = Room(10)
    await room.take(10)
    taking = await waits(room, 10)
    room.give_back(10)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    await asyncio.wait_for(room.take(10), 1)


async def test_who_gives_up_in_the_moment_before_somebody_gives_back_is_passed_over() -> None:
    room = Room(10)
    await room.take(10)
    first, second = await waits(room, 10), await waits(room, 10)
    first.cancel()
    room.give_back(10)
    await asyncio.wait_for(second, 1)
    with pytest.raises(asyncio.CancelledError):
        await first
    room.give_back(10)
    await asyncio.wait_for(room.take(10), 1)
