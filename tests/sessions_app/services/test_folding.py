"""Folding a finished turn's deltas: fewer rows, the same conversation, nothing of an open turn."""

from __future__ import annotations

import json
import random
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.models import Event, PromptState, Session
from sessions_app.services import conversation, folding
from sessions_app.services import logs as stored
from sidecar.protocol.messages import DELTA_KINDS
from tests.sessions_app.conftest import make_events, make_prompt

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "conversations").glob("*.json"))
TURN = uuid.UUID(int=7)
Events = list[dict[str, Any]]


def delta(
    text: str, offset: int, part: str = "p1", kind: str = "message.delta", **more: Any
) -> dict[str, Any]:
    name = "tool_call_id" if kind == "tool.output" else "part_id"
    data = {name: part, "offset": offset, "text": text, **more.pop("data", {})}
    return {"kind": kind, "turn": TURN, "data": data, **more}


def ended(turn: uuid.UUID = TURN, **more: Any) -> dict[str, Any]:
    return {"kind": "turn.ended", "turn": turn, "data": {"stop_reason": "end_turn"}, **more}


def log_of(session: Session) -> list[dict[str, Any]]:
    return [row.envelope() for row in Event.objects.filter(session=session).order_by("seq")]


def test_a_part_becomes_one_row_that_spans_its_numbers(session: Session) -> None:
    make_events(session, [delta("Hel", 0), delta("lo", 3, "p2"), delta("lo", 3), delta(" you", 5), ended()])
    gone = folding.fold_turn(session_id=session.pk, turn=TURN)
    first, second, end = log_of(session)
    assert gone == 2
    assert (first["seq"], first["seq_end"], first["data"]["text"]) == (1, 4, "Hello you")
    assert second["seq"] == 2 and "seq_end" not in second
    assert end["kind"] == "turn.ended"


def test_an_open_turn_is_left_alone(session: Session) -> None:
    make_events(session, [delta("a", 0), delta("b", 1)])
    assert folding.fold_turn(session_id=session.pk, turn=TURN) == 0
    assert len(log_of(session)) == 2


def test_another_turn_of_the_same_log_is_left_alone(session: Session) -> None:
    other = uuid.UUID(int=8)
    make_events(session, [delta("a", 0), ended(), delta("a", 0, turn=other), delta("b", 1, turn=other)])
    folding.fold_turn(session_id=session.pk, turn=TURN)
    folding.fold_turn(session_id=session.pk, turn=other)
    assert len(log_of(session)) == 4


def test_folding_twice_changes_nothing_more(session: Session) -> None:
    make_events(session, [delta("a", 0), delta("b", 1), ended()])
    folding.fold_turn(session_id=session.pk, turn=TURN)
    once = log_of(session)
    assert folding.fold_turn(session_id=session.pk, turn=TURN) == 0
    assert log_of(session) == once


def test_what_is_salvaged_after_the_end_is_folded_without_moving_before_its_generation(
    session: Session,
) -> None:
    make_events(
        session, [delta("ab", 0), delta("cd", 2), ended(gen=2), delta("ef", 4, gen=2), delta("g", 6, gen=2)]
    )
    before = conversation.build(session.pk)
    folding.fold_pending()
    rows = log_of(session)
    assert [(row["gen"], row["seq"], row.get("seq_end")) for row in rows] == [
        (1, 1, 2),
        (2, 3, None),
        (2, 4, 5),
    ]
    assert rows[2]["data"] == {"part_id": "p1", "offset": 4, "text": "efg"}
    assert conversation.build(session.pk) == before


def test_what_was_left_out_of_an_output_stays_known(session: Session) -> None:
    pieces = [
        delta("head", 0, "c1", "tool.output"),
        delta("tail", 5000, "c1", "tool.output", data={"omitted": 4996, "gap": True}),
    ]
    make_events(session, [*pieces, ended()])
    before = conversation.build(session.pk)
    folding.fold_turn(session_id=session.pk, turn=TURN)
    assert log_of(session)[0]["data"] == {
        "tool_call_id": "c1",
        "offset": 0,
        "text": "headtail",
        "omitted": 4996,
        "gap": True,
    }
    assert conversation.build(session.pk) == before


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_conversation_of_a_fixture_stays_the_same(session: Session, path: Path) -> None:
    fixture = json.loads(path.read_text())
    make_events(session, fixture["events"])
    folding.fold_pending()
    assert conversation.build(session.pk) == fixture["conversation"]


def test_a_pass_folds_what_ended_and_comes_back_for_the_rest(session: Session) -> None:
    open_turn = make_prompt(session, PromptState.RUNNING)
    make_events(session, [delta("a", 0), delta("b", 1), ended()])
    make_events(session, [delta("c", 0, turn=open_turn.pk), delta("d", 1, turn=open_turn.pk)])
    assert folding.fold_pending() == 1
    session.refresh_from_db()
    assert session.folded_seq == 3
    make_events(session, [ended(open_turn.pk)])
    session.prompts.update(state=PromptState.DONE)
    assert folding.fold_pending() == 1
    session.refresh_from_db()
    assert session.folded_seq == session.last_seq


def test_a_turn_that_nobody_has_does_not_hold_up_the_passes(session: Session) -> None:
    make_events(session, [delta("a", 0), delta("b", 1)])
    assert folding.fold_pending() == 0
    session.refresh_from_db()
    assert session.folded_seq == 2


def test_two_that_fold_at_the_same_time_leave_one_fold(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has read the rows before the first, which knows of a later delta, has changed them."""
    make_events(session, [delta("a", 0), delta("b", 1), ended()])
    read = folding._by_part

    def read_then_be_outrun(deltas: Any) -> Any:
        parts = list(read(deltas))
        monkeypatch.setattr(folding, "_by_part", read)
        make_events(session, [delta("c", 2)])
        folding.fold_turn(session_id=session.pk, turn=TURN)
        return parts

    monkeypatch.setattr(folding, "_by_part", read_then_be_outrun)
    assert folding.fold_turn(session_id=session.pk, turn=TURN) == 0
    assert conversation.build(session.pk)["turns"][0]["items"][0]["text"] == "abc"


def test_a_long_turn_folds_in_pieces(session: Session) -> None:
    make_events(session, [*(delta("x", n) for n in range(1300)), ended()])
    assert folding.fold_turn(session_id=session.pk, turn=TURN) == 1299
    assert log_of(session)[0]["data"]["text"] == "x" * 1300


@pytest.mark.parametrize("bound", ["MOST_ROWS", "MOST_CHARACTERS"])
def test_a_turn_that_is_too_long_to_be_read_at_once_folds_window_by_window(
    session: Session, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """Then the conversation, which kept to the newest rows, tells all of it."""
    monkeypatch.setattr(folding, "WINDOW_ROWS", 4)
    make_events(session, [*(delta("x", n // 2, "pq"[n % 2]) for n in range(20)), ended()])
    whole = conversation.build(session.pk)
    with monkeypatch.context() as patch:
        patch.setattr(stored, bound, 12 if bound == "MOST_ROWS" else 700)
        assert "omitted_before" in conversation.build(session.pk)
        assert folding.fold_turn(session_id=session.pk, turn=TURN) == 10
        assert [row["data"].get("text") for row in log_of(session)] == ["xx"] * 10 + [None]
        assert conversation.build(session.pk) == whole
        assert folding.fold_pending() == 8, "what is left of it can be read at once"
        assert [row["data"].get("text") for row in log_of(session)] == ["x" * 10] * 2 + [None]
    assert conversation.build(session.pk) == whole


def test_a_window_ends_with_the_row_that_is_too_much(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "MOST_ROWS", 3)
    monkeypatch.setattr(folding, "WINDOW_CHARACTERS", 5)
    make_events(session, [*(delta("four", 4 * n) for n in range(5)), ended()])
    folding.fold_turn(session_id=session.pk, turn=TURN)
    assert [row["data"].get("text") for row in log_of(session)] == ["fourfour", "fourfour", "four", None]


@st.composite
def logs(draw: st.DrawFn, goes_on: float = 0.0) -> Events:
    """Deltas of few parts, with gaps, repeats, overlaps and mixed kinds, over two generations.

    As many as `goes_on` says begin where another one of their part ended.
    """
    rng = random.Random(draw(st.integers(0, 2**32)))
    ends: dict[str, int] = {}
    turns = [TURN, uuid.UUID(int=8)]
    events: Events = []
    for position in range(draw(st.integers(1, 40))):
        gen = 1 if position < 25 else 2
        kind = rng.choice(sorted(DELTA_KINDS))
        text = rng.choice(["", "a", "bc", "🙂d", "long text "])
        data: dict[str, Any] = (
            {"omitted": rng.randrange(9), "gap": rng.random() < 0.5}
            if kind == "tool.output" and rng.random() < 0.2
            else {}
        )
        if kind != "tool.output" and rng.random() < 0.2:
            data = {"parent_tool_call_id": "c9"}
        offset, part = rng.randrange(20), rng.choice("pq")
        if rng.random() < goes_on:
            offset = ends.get(part, 0)
        ends[part] = offset + len(text)
        events.append(delta(text, offset, part, kind, gen=gen, turn=rng.choice(turns), data=data))
        if rng.random() < 0.1:
            events.append(
                {"kind": "message.done", "turn": TURN, "gen": gen, "data": {"part_id": "p", "length": 1}}
            )
        if rng.random() < 0.1:
            data = {"tool_call_id": "p", "status": "in_progress"}
            events.append({"kind": "tool.upsert", "turn": TURN, "gen": gen, "data": data})
    events.insert(rng.randrange(len(events) + 1), ended(gen=1))
    return events


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=logs())
def test_no_log_tells_another_conversation_when_it_is_folded(session: Session, events: Events) -> None:
    Event.objects.filter(session=session).delete()
    gens = sorted(event["gen"] for event in events)
    make_events(session, [{**event, "gen": gen} for event, gen in zip(events, gens, strict=True)])
    before = conversation.build(session.pk)
    rows_before = Event.objects.filter(session=session).count()
    gone = folding.fold_turn(session_id=session.pk, turn=TURN)
    assert conversation.build(session.pk) == before
    assert Event.objects.filter(session=session).count() == rows_before - gone
    # Each part of the ended turn has one row per generation left.
    parts = {
        (row.gen, row.kind == "tool.output", row.data.get("part_id") or row.data.get("tool_call_id"))
        for row in Event.objects.filter(session=session, turn=TURN, kind__in=DELTA_KINDS)
    }
    assert len(parts) == Event.objects.filter(session=session, turn=TURN, kind__in=DELTA_KINDS).count()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=logs(goes_on=0.8))
def test_no_log_tells_another_conversation_when_its_windows_are_folded(
    session: Session, monkeypatch: pytest.MonkeyPatch, events: Events
) -> None:
    Event.objects.filter(session=session).delete()
    gens = sorted(event["gen"] for event in events)
    make_events(session, [{**event, "gen": gen} for event, gen in zip(events, gens, strict=True)])
    before = conversation.build(session.pk)
    rows_before = Event.objects.filter(session=session).count()
    with monkeypatch.context() as patch:
        patch.setattr(stored, "MOST_ROWS", 1)
        patch.setattr(folding, "WINDOW_ROWS", 7)
        gone = folding.fold_turn(session_id=session.pk, turn=TURN)
    assert conversation.build(session.pk) == before
    assert Event.objects.filter(session=session).count() == rows_before - gone
    # Whoever folds what is left as a whole finds the same.
    folding.fold_turn(session_id=session.pk, turn=TURN)
    assert conversation.build(session.pk) == before
