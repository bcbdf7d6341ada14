"""Reading a log in pages while it changes."""

from __future__ import annotations

from sessions_app.models import Prompt, PromptState, Session
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
