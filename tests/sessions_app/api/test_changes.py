"""What changed in a workspace over REST, through the real relay to a link that answers what it is told to."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import AsyncClient

from openagent.lib.errors import AppError
from sessions_app.api import changes as api
from sessions_app.consumers.link_queries import Queries
from sessions_app.models import Session
from sidecar.protocol import changes
from tests.sessions_app.api.problems import problem
from tests.sessions_app.api.workspace_link import Workspace

pytestmark = pytest.mark.django_db(transaction=True)

FILE = {
    "path": "a\\x1b.txt",
    "old_path": "",
    "status": "modified",
    "kind": "file",
    "version": "abc",
    "additions": 1,
    "deletions": None,
    "binary": False,
}


def url_of(session: Session, what: str = "") -> str:
    return f"/api/v1/sessions/{session.pk}/changes/{what}"


async def test_changes_are_listed(session: Session, workspace: Workspace, client: AsyncClient) -> None:
    workspace.answer = {
        "base": "turn",
        "since": "2026-11-22T10:00:00Z",
        "files": [FILE],
        "total": 7,
        "unread": 0,
    }
    body = (await client.get(url_of(session), {"base": "turn"})).json()
    assert body == workspace.answer
    assert api.ChangeListSerializer(body).data == body
    assert workspace.asked == [("changes.list", {"base": "turn"})]


async def test_a_diff_is_text_whatever_the_file_is(
    session: Session, workspace: Workspace, client: AsyncClient
) -> None:
    patch = base64.b64encode(b"+\xff\n").decode()
    workspace.answer = {"path": "b", "patch": patch, "truncated": True}
    asked = {"path": "b", "old_path": "a", "lines_around": "9", "ignore_space": "true"}
    body = (await client.get(url_of(session, "diff/"), asked)).json()
    assert body == {"path": "b", "patch": "+\ufffd\n", "truncated": True}
    [(verb, question)] = workspace.asked
    assert verb == "changes.diff"
    assert question == {"base": "start", "path": "b", "old_path": "a", "context": 9, "ignore_space": True}


async def test_a_file_is_put_back(session: Session, workspace: Workspace, client: AsyncClient) -> None:
    workspace.answer = {"path": "a", "undo": "a" * 40}
    order = {"base": "start", "path": "a"}
    response = await client.post(url_of(session, "revert/"), order, content_type="application/json")
    assert response.json() == {"path": "a", "undo": "a" * 40}
    assert workspace.asked == [("changes.revert", {**order, "old_path": ""})]


@pytest.mark.parametrize(
    ("what", "asked"), [("", {"base": "HEAD"}), ("diff/", {}), ("diff/", {"path": "a", "lines_around": "-1"})]
)
async def test_what_makes_no_sense_is_not_asked(
    session: Session, workspace: Workspace, client: AsyncClient, what: str, asked: dict[str, str]
) -> None:
    assert (await client.get(url_of(session, what), asked)).status_code == 400
    assert workspace.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"base": "start", "since": "", "files": [{**FILE, "status": "<b>"}], "total": 1},
        {"base": "start", "since": "", "files": None, "total": 1},
    ],
)
async def test_an_answer_that_is_none_is_an_error(
    session: Session, workspace: Workspace, client: AsyncClient, answer: dict[str, Any]
) -> None:
    workspace.answer = answer
    response = await client.get(url_of(session))
    problem(response, 502, "bad_answer")


async def test_an_older_sidecar_is_not_asked_what_it_does_not_know() -> None:
    asked: list[Any] = []
    with pytest.raises(AppError) as refusal:
        await Queries(asked.append).ask("changes.list", {"base": "start"}, version=changes.VERSION - 1)
    assert (refusal.value.code, refusal.value.status, asked) == ("unavailable", 409, [])
