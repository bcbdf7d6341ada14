"""Reading a log in pages while it changes."""

from __future__ import annotations

import pytest

from sessions_app.models import Event, Prompt, PromptState, Session
from sessions_app.services import conversation, folding, logs
from tests.sessions_app.conftest import make_events, make_prompt


def delta(prompt: Prompt, part: str, offset: int) -> dict[str, object]:
    data = {"part_id": part, "offset": offset, "text": "x"}
    return {"kind": "message.delta", "turn": prompt.pk, "data": data}


def test_a_turn_that_is_folded_between_two_pages_is_read_whole(session: Session) -> None:
    prompt = make_prompt(session, PromptState.DONE)
    started = {"kind": "turn.started", "turn": prompt.pk, "data": {"prompt": "go"}}
    ended = {"kind": "turn.ended", "turn": prompt.pk, "data": {"stop_reason": "end_turn"}}
    deltas = [delta(prompt, part, offset) for offset in range(6) for part in ("p", "q")]
    make_events(session, [started, *deltas, ended])
    told = conversation.build(session.pk)

    def read(after_row: int | None) -> logs.Page:
        return logs.page(session_id=session.pk, gen=1, seq=0, after_row=after_row, until=14, limit=5)

    pages = [read(None)]
    folding.fold_turn(session_id=session.pk, turn=prompt.pk)
    while pages[-1].has_more:
        pages.append(read(pages[-1].events[-1]["seq"]))
    assert conversation.fold(event for page in pages for event in page.events) == told


@pytest.fixture
def long_log(session: Session) -> tuple[Prompt, Prompt]:
    """Two turns of 12 events together, the second of which still runs."""
    first, second = make_prompt(session, PromptState.DONE), make_prompt(session, PromptState.RUNNING)
    agent = {"id": "fake", "name": "Fake", "version": "1"}
    make_events(
        session,
        [
            {"kind": "instance.started", "data": {"agent": agent}},
            {"kind": "agent.config", "data": {"mode": "old"}},
            {"kind": "agent.config", "data": {"mode": "new"}},
            {"kind": "turn.started", "turn": first.pk, "data": {"prompt": "one"}},
            delta(first, "p", 0),
            {"kind": "turn.ended", "turn": first.pk, "data": {"stop_reason": "end_turn"}},
            {"kind": "turn.started", "turn": second.pk, "data": {"prompt": "two"}},
            *(delta(second, "q", offset) for offset in range(5)),
        ],
    )
    return first, second


def test_of_a_log_with_too_many_rows_the_newest_part_is_told_and_it_says_so(
    session: Session, long_log: tuple[Prompt, Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = conversation.build(session.pk)
    monkeypatch.setattr(logs, "MOST_ROWS", 12)
    assert conversation.build(session.pk) == whole
    assert "omitted_before" not in whole
    monkeypatch.setattr(logs, "MOST_ROWS", 3)
    told = conversation.build(session.pk)
    assert told["omitted_before"] == 10
    for name in ("last_seq", "gen", "agent", "config", "notices"):
        assert told[name] == whole[name]
    (turn,) = told["turns"]
    assert (turn["id"], turn["prompt"]) == (str(long_log[1].pk), "two")
    assert [item["text"] for item in turn["items"]] == ["xxx"]


@pytest.mark.usefixtures("long_log")
def test_of_a_log_that_is_too_long_no_more_is_read_than_the_newest_rows(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    whole = Event.envelope

    def envelope(row: Event) -> dict[str, object]:
        read.append(row.seq)
        return whole(row)

    monkeypatch.setattr(Event, "envelope", envelope)
    size = len('{"part_id": "q", "offset": 0, "text": "x"}')
    monkeypatch.setattr(logs, "MOST_CHARACTERS", 2 * size)
    assert conversation.build(session.pk)["omitted_before"] == 11
    assert read == [1, 3, 7, 11, 12]
    monkeypatch.setattr(logs, "MOST_CHARACTERS", 1)  # the newest row is told of, however long it is
    told = conversation.build(session.pk)
    assert (told["omitted_before"], told["last_seq"]) == (12, 12)


def test_a_turn_that_wrote_too_much_is_not_folded(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = make_prompt(session, PromptState.DONE)
    ended = {"kind": "turn.ended", "turn": prompt.pk, "data": {"stop_reason": "end_turn"}}
    make_events(session, [*(delta(prompt, "p", offset) for offset in range(4)), ended])
    with monkeypatch.context() as patch:
        patch.setattr(folding, "MOST_ROWS", 3)
        assert folding.fold_pending() == 0
    assert folding.fold_turn(session_id=session.pk, turn=prompt.pk) == 3
