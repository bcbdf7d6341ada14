"""A turn begins once, ends once, and takes with it what was still open."""

from __future__ import annotations

import asyncio

import pytest

from sidecar.agents.base import AgentEvent, EventQueue, TurnOpen, UnknownPermission
from sidecar.agents.failures import failure
from sidecar.agents.recent import Recent
from sidecar.agents.turns import Turns
from sidecar.protocol.messages import PermissionAsked, Plan, TextDelta, TextDone, ToolUpsert, TurnEnded


async def drained(queue: EventQueue) -> list[AgentEvent]:
    queue.end()
    return [event async for event in queue.read()]


async def test_the_end_comes_once_and_completes_what_is_open() -> None:
    queue = EventQueue()
    turns = Turns(queue)
    turns.begin("a")
    turns.emit("message.delta", TextDelta(part_id="p", offset=0, text="half a sen"))
    turns.emit("message.delta", TextDelta(part_id="q", offset=0, text="done"))
    turns.emit("message.done", TextDone(part_id="q", length=4))
    turns.emit("tool.upsert", ToolUpsert(tool_call_id="t", status="in_progress"))
    turns.emit("tool.upsert", ToolUpsert(tool_call_id="u", status="in_progress"))
    turns.emit("tool.upsert", ToolUpsert(tool_call_id="u", status="completed"))
    assert turns.end("error", failure("agent_crash"))
    assert not turns.end("end_turn")
    events = await drained(queue)
    assert [event.kind for event in events[-4:]] == ["message.done", "tool.upsert", "error", "turn.ended"]
    assert events[-4].data == TextDone(part_id="p", length=10, broken=True)
    assert events[-3].data == ToolUpsert(tool_call_id="t", status="interrupted")
    assert {event.turn for event in events} == {"a"}


async def test_a_text_that_was_not_ended_is_whole_when_the_agent_is_done() -> None:
    queue = EventQueue()
    turns = Turns(queue)
    turns.begin("a")
    turns.emit("message.delta", TextDelta(part_id="p", offset=0, text="all"))
    turns.end("end_turn")
    assert (await drained(queue))[-2].data == TextDone(part_id="p", length=3)


async def test_events_outside_a_turn_carry_none() -> None:
    queue = EventQueue()
    turns = Turns(queue)
    turns.emit("plan", Plan(entries=[]))
    turns.begin("a")
    turns.end("end_turn")
    turns.emit("plan", Plan(entries=[]))
    assert [event.turn for event in await drained(queue)] == [None, "a", None]


def test_a_second_turn_has_to_wait() -> None:
    turns = Turns(EventQueue())
    turns.begin("a")
    with pytest.raises(TurnOpen):
        turns.begin("b")
    turns.end("end_turn")
    turns.begin("b")


def test_permissions_are_answered_once_and_die_with_their_turn() -> None:
    turns = Turns(EventQueue())
    turns.begin("a")
    for name in ("p", "q"):
        turns.emit("permission.asked", PermissionAsked(permission_id=name, type="tool", title="x"))
    turns.answered("p")
    with pytest.raises(UnknownPermission):
        turns.answered("p")
    turns.end("end_turn")
    with pytest.raises(UnknownPermission):
        turns.answered("q")


def test_silence_counts_only_while_something_should_happen() -> None:
    turns = Turns(EventQueue())
    turns._last_sign -= 100
    assert turns.silent_seconds() < 1, "no turn"
    turns.begin("a")
    turns._last_sign -= 100
    assert turns.silent_seconds() > 99
    turns.emit("tool.upsert", ToolUpsert(tool_call_id="t", status="in_progress"))
    turns._last_sign -= 100
    assert turns.silent_seconds() < 1, "a tool runs"
    turns.emit("tool.upsert", ToolUpsert(tool_call_id="t", status="completed"))
    turns.emit("permission.asked", PermissionAsked(permission_id="p", type="tool", title="x"))
    turns._last_sign -= 100
    assert turns.silent_seconds() < 1, "a person is asked"


async def test_the_queue_keeps_its_reader_in_step() -> None:
    queue = EventQueue(limit=2)
    event = AgentEvent(kind="turn.ended", data=TurnEnded(stop_reason="end_turn"))
    queue.put(event)
    await asyncio.wait_for(queue.room(), 1)
    queue.put(event)
    assert queue.is_full
    waiting = asyncio.create_task(queue.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    reading = queue.read()
    await anext(reading)
    await asyncio.wait_for(waiting, 1)
    queue.end()
    queue.put(event)
    assert len([event async for event in reading]) == 1, "what comes after the end is dropped"


async def test_a_waiting_reader_wakes_up() -> None:
    queue = EventQueue()
    reading = asyncio.ensure_future(anext(aiter(queue.read())))
    await asyncio.sleep(0)
    queue.put(AgentEvent(kind="plan", data=Plan(entries=[])))
    assert (await asyncio.wait_for(reading, 1)).kind == "plan"


def test_only_the_newest_are_remembered() -> None:
    recent = Recent(limit=2)
    for member in "aab":
        recent.add(member)
    assert "a" in recent
    recent.add("c")
    assert "a" not in recent
    assert "b" in recent
    assert "c" in recent
