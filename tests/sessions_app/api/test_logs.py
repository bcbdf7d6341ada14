"""The stored log over REST, and the conversation that it tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app.api import at_once, log_answers
from sessions_app.models import Session
from sessions_app.services import conversation, folding, logs
from tests.sessions_app.api.problems import problem
from tests.sessions_app.conftest import make_events

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "conversations").glob("*.json"))
TURN = "6f1c2a34-0d5e-4b7f-9a10-1c2d3e4f5a01"


def url_of(session: Session, what: str = "events") -> str:
    return f"/api/v1/sessions/{session.pk}/{what}/"


def delta(part: str, offset: int, text: str, **more: Any) -> dict[str, Any]:
    data = {"part_id": part, "offset": offset, "text": text}
    return {"kind": "message.delta", "turn": TURN, "data": data, **more}


def follow(client: APIClient, url: str | None) -> list[dict[str, Any]]:
    """All pages from `url` on."""
    found: list[dict[str, Any]] = []
    for _ in range(100):
        if url is None:
            return found
        body = client.get(url).json()
        found += body["results"]
        url = body["next"]
    raise AssertionError("the pages have no end")


def test_events_are_answered_as_they_were_stored(session: Session, alice_client: APIClient) -> None:
    events = json.loads(FIXTURES[0].read_text())["events"]
    make_events(session, events)
    body = alice_client.get(url_of(session)).json()
    assert body == {"next": None, "results": events}
    assert log_answers.EventPageSerializer(body).data == body


def test_reading_on_begins_after_the_number(session: Session, alice_client: APIClient) -> None:
    make_events(session, [delta("p", 0, "a"), delta("p", 1, "b"), delta("p", 2, "c")])
    rows = alice_client.get(f"{url_of(session)}?after=2").json()["results"]
    assert [row["seq"] for row in rows] == [3]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_pages_of_rows_that_overlap_leave_nothing_out(
    session: Session, alice_client: APIClient, limit: int
) -> None:
    rows = [
        delta("p", 0, "ab", seq=1, seq_end=4),
        delta("q", 0, "x", seq=2),
        delta("r", 0, "y", seq=3, seq_end=6),
    ]
    make_events(session, [*rows, delta("s", 0, "z", seq=5)])
    # A row that spans the end of a page comes again.
    found = {row["seq"] for row in follow(alice_client, f"{url_of(session)}?limit={limit}")}
    assert found == {1, 2, 3, 5}
    # Row 1 spans number 4, so a reader that has seen 3 needs it, and row 2 not.
    found = {row["seq"] for row in follow(alice_client, f"{url_of(session)}?limit={limit}&after=3")}
    assert found == {1, 3, 5}


@pytest.mark.parametrize("folded_after", range(6))
def test_a_turn_that_is_folded_between_two_pages_tells_the_same(
    session: Session, alice_client: APIClient, folded_after: int
) -> None:
    output = {"tool_call_id": "c", "text": "line\n"}
    make_events(
        session,
        [
            *(delta("p", n, "abcd"[n]) for n in range(3)),
            {"kind": "tool.output", "turn": TURN, "data": {**output, "offset": 0}},
            delta("q", 0, "x"),
            {"kind": "tool.output", "turn": TURN, "data": {**output, "offset": 5}},
            delta("p", 3, "d"),
            {"kind": "message.done", "turn": TURN, "data": {"part_id": "p", "length": 4}},
            {"kind": "turn.ended", "turn": TURN, "data": {"stop_reason": "end_turn"}},
        ],
    )
    url: str | None = f"{url_of(session)}?limit=2"
    read: list[dict[str, Any]] = []
    for page in range(20):
        if page == folded_after:
            assert folding.fold_pending() > 0
        if url is not None:
            body = alice_client.get(url).json()
            read += body["results"]
            url = body["next"]
    assert url is None
    told = alice_client.get(url_of(session, "conversation")).json()
    assert conversation.fold(read) == told
    assert [item.get("text", item.get("output")) for item in told["turns"][0]["items"]] == [
        *("abcd", "line\nline\n", "x"),
    ]


def test_a_page_of_long_rows_ends_early(
    session: Session, alice_client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MAX_PAGE_CHARACTERS", 1000)
    make_events(session, [delta("p", 600 * n, "x" * 600) for n in range(5)])
    assert len(alice_client.get(url_of(session)).json()["results"]) == 2
    assert len(follow(alice_client, url_of(session))) == 5


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", f"after={2**70}", "limit=0", "limit=1001", "row=-2"]
)
def test_what_is_no_number_is_refused(session: Session, alice_client: APIClient, query: str) -> None:
    body = problem(alice_client.get(f"{url_of(session)}?{query}"), 400, "invalid")
    assert list(body["errors"]) == [query.split("=")[0]]


def test_one_user_has_so_many_conversations_told_at_once(
    session: Session, charlie: User, alice_client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_once, "PATIENCE_SECONDS", 0)
    url = url_of(session, "conversation")
    with at_once.turn(session.owner_id), at_once.turn(charlie.pk), at_once.turn(charlie.pk):
        assert alice_client.get(url).status_code == 200
        with at_once.turn(session.owner_id):
            response = alice_client.get(url)
            problem(response, 429, "slow_down")
            assert response["Retry-After"] == "2"
    assert alice_client.get(url).status_code == 200
    assert not at_once._made


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_log_folds_to_what_the_conversation_answers(
    session: Session, alice_client: APIClient, path: Path
) -> None:
    """The replay test: before and after the platform folds the rows."""
    fixture = json.loads(path.read_text())
    make_events(session, fixture["events"])
    first = alice_client.get(url_of(session, "conversation")).json()
    folding.fold_pending()
    second = alice_client.get(url_of(session, "conversation")).json()
    assert first == second == fixture["conversation"]
    assert log_answers.ConversationSerializer(first).data == first


def test_the_conversation_is_downloaded_as_markdown_or_json(
    session: Session, alice_client: APIClient
) -> None:
    make_events(session, json.loads(FIXTURES[0].read_text())["events"])
    export = f"{url_of(session, 'conversation')}export/"
    text = alice_client.get(export)
    assert text["Content-Type"] == "text/markdown; charset=utf-8"
    assert text["Content-Disposition"] == 'attachment; filename="conversation.md"'
    assert text.content.decode().startswith(f"# {session.title}")
    whole = alice_client.get(f"{export}?as=json")
    assert whole["Content-Disposition"] == 'attachment; filename="conversation.json"'
    assert whole.json() == alice_client.get(url_of(session, "conversation")).json()
    assert alice_client.get(f"{export}?as=exe").status_code == 400
