"""Turns of the real OpenCode, recorded: understood whole, and as well when the stream was cut anywhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.demo_model import expected
from tests.contract.agents.recorder import Turn
from tests.sidecar.agents.opencode.told import NAMES, Told, recorded

STOP = {"error401": "error", "permission": "refused"}


def summary(turn: Turn) -> dict[str, Any]:
    """What must be the same however the news came."""
    return {
        "texts": {name: text for name, (_, text, _) in turn.parts.items()},
        "parents": {name: parent for name, (_, _, parent) in turn.parts.items()},
        "tools": {name: (tool.fields | {"diffs": None}, tool.output) for name, tool in turn.tools.items()},
        "plan": turn.of("plan")[-1:],
        "stop": turn.stop_reason,
        "class": turn.error.error_class if turn.error else None,
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_turn_is_understood(name: str) -> None:
    record = recorded(name)
    told = Told(session=record["session"])
    turn = told.hear(*record["events"])
    assert turn.stop_reason == STOP.get(name, "end_turn")
    if name not in STOP:
        results = [tool.output or "blue" for tool in turn.tools.values()] if name == "question" else None
        script = expected(f"/demo {name}", results=results)
        assert turn.text.startswith("".join(script.messages)[:40])
        assert turn.thoughts == "".join(script.thoughts)
    assert told.outside == []


@pytest.mark.parametrize("name", NAMES)
def test_repeated_states_add_nothing(name: str) -> None:
    record = recorded(name)
    plain = Told(session=record["session"]).hear(*record["events"])
    told = Told(session=record["session"])
    for event in record["events"]:
        told.hear(event)
        if not event["type"].startswith(("message.part.delta", "file.")) and told.turns.current is not None:
            told.hear(event)
    assert summary(told.turn) == summary(plain)
    assert [event.kind for event in told.turn.events] == [event.kind for event in plain.events]


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_a_stream_that_was_cut_anywhere_is_caught_up(name: str, data: st.DataObject) -> None:
    record = recorded(name)
    events: list[dict[str, Any]] = record["events"]
    first = next(at for at, event in enumerate(events) if event["type"] == "message.updated")
    last = next(at for at, event in enumerate(events) if _is_end(event, record["session"]))
    start = data.draw(st.integers(first, last), label="cut at")
    end = data.draw(st.integers(start, last), label="back at")
    told = Told(session=record["session"])
    told.hear(*events[:start])
    told.conversation.lost_events()
    told.conversation.catch_up(
        _messages_at(events[:end]),
        status={"type": "busy"},
        permissions=[],
        questions=[],
        todos=_todos_at(events[:end]),
    )
    turn = told.hear(*events[end:])
    whole = Told(session=record["session"]).hear(*events)
    if name != "permission":  # The rejection came from outside, and may have been missed.
        assert summary(turn)["stop"] == summary(whole)["stop"]
    assert summary(turn)["texts"] == summary(whole)["texts"]
    assert summary(turn)["parents"] == summary(whole)["parents"]
    assert summary(turn)["plan"] == summary(whole)["plan"]
    assert {name: tool["status"] for name, (tool, _) in summary(turn)["tools"].items()} == {
        name: tool["status"] for name, (tool, _) in summary(whole)["tools"].items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_turn_that_ended_unseen_is_caught_up(name: str) -> None:
    record = recorded(name)
    told = Told(session=record["session"])
    told.conversation.catch_up(record["messages"], status=None, permissions=[], questions=[], todos=[])
    turn = told.hear()
    whole = Told(session=record["session"]).hear(*record["events"])
    assert summary(turn)["texts"] == summary(whole)["texts"]
    assert turn.error == whole.error


@settings(max_examples=30)
@given(st.data())
def test_mangled_events_do_no_harm(data: st.DataObject) -> None:
    record = recorded(data.draw(st.sampled_from(NAMES)))
    told = Told(session=record["session"])
    for event in record["events"]:
        for _ in range(data.draw(st.integers(0, 2))):
            _mangle(event, data)
        if told.turns.current is None:
            break
        # Deltas out of their order are for the whole text to put right, which a mangled stream may not bring.
        if event.get("type") != "message.part.delta":
            told.hear(event)


def _mangle(event: dict[str, Any], data: st.DataObject) -> None:
    holder: Any = event
    while isinstance(holder, dict) and holder:
        key = data.draw(st.sampled_from(sorted(holder)))
        if not isinstance(holder[key], dict) or data.draw(st.booleans()):
            holder[key] = data.draw(st.sampled_from([None, 5, "text", [], {}, "\ud800", [[]], {"a": {}}]))
            return
        holder = holder[key]


def _is_end(event: dict[str, Any], session: str) -> bool:
    properties = event["properties"]
    is_idle = event["type"] == "session.status" and properties["status"]["type"] == "idle"
    return bool(is_idle and properties["sessionID"] == session)


def _messages_at(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What OpenCode would list after these events: it keeps no text of a part that is under way."""
    messages: dict[str, dict[str, Any]] = {}
    for event in events:
        properties = json.loads(json.dumps(event["properties"]))
        if event["type"] == "message.updated":
            messages.setdefault(properties["info"]["id"], {"parts": {}})["info"] = properties["info"]
        elif event["type"] == "message.part.updated":
            part = properties["part"]
            messages.setdefault(part["messageID"], {"parts": {}})["parts"][part["id"]] = part
    return [{"info": each["info"], "parts": list(each["parts"].values())} for each in messages.values()]


def _todos_at(events: list[dict[str, Any]]) -> list[Any]:
    known = [event["properties"]["todos"] for event in events if event["type"] == "todo.updated"]
    return list(known[-1]) if known else []
