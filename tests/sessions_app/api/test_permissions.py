"""The inbox of permissions over REST, and answering."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app.api import answers
from sessions_app.models import Command, Permission, PermissionState, Session
from tests.sessions_app.api.problems import problem
from tests.sessions_app.conftest import make_instance, make_permission, make_session

URL = "/api/v1/permissions/"
QUESTIONS = [
    {"question": "Which one?", "options": [{"label": "A"}, {"label": "B", "description": "the second"}]},
    {"question": "Why?", "multiple": True, "custom": False},
]


def answer_url(permission: Permission) -> str:
    return f"{URL}{permission.pk}/answer/"


def ask_question(session: Session) -> Permission:
    pk = uuid.uuid4()
    asked = {"permission_id": str(pk), "type": "question", "title": "Asks", "questions": QUESTIONS}
    instance = make_instance(session)
    return make_permission(session, id=pk, type="question", asked=asked, title="Asks", instance=instance)


def test_the_inbox_holds_what_all_sessions_ask(alice: User, bob: User, alice_client: APIClient) -> None:
    first, second = make_session(alice, title="One"), make_session(alice)
    older, newer = make_permission(first), make_permission(second)
    make_permission(make_session(bob))
    body = alice_client.get(f"{URL}?state=pending").json()
    assert [row["id"] for row in body["results"]] == [str(newer.pk), str(older.pk)]
    assert body["results"][1]["session_title"] == "One"
    for row in body["results"]:
        assert answers.PermissionSerializer(row).data == row


def test_the_inbox_can_be_narrowed(alice: User, alice_client: APIClient) -> None:
    session = make_session(alice)
    make_permission(session, state=PermissionState.LOST)
    wanted = make_permission(session)
    make_permission(make_session(alice))
    rows = alice_client.get(f"{URL}?state=pending&session={session.pk}").json()["results"]
    assert [row["id"] for row in rows] == [str(wanted.pk)]
    assert len(alice_client.get(URL).json()["results"]) == 3


@pytest.mark.parametrize("query", ["state=maybe", "session=12"])
def test_a_filter_that_makes_no_sense_is_refused(alice_client: APIClient, query: str) -> None:
    problem(alice_client.get(f"{URL}?{query}"), 400, "invalid")


def test_the_first_answer_wins_and_the_second_learns_who_was_first(
    session: Session, alice_client: APIClient
) -> None:
    permission = make_permission(session, instance=make_instance(session))
    body = alice_client.post(answer_url(permission), {"choice": "reject", "message": "Not now"}).json()
    assert (body["state"], body["choice"], body["message"], body["by"]) == (
        "answered",
        "reject",
        "Not now",
        "user",
    )
    assert body["answered_by"]["name"] == "Alice"
    late = problem(alice_client.post(answer_url(permission), {"choice": "once"}), 409, "already_answered")
    assert (late["choice"], late["answered_by"]) == ("reject", body["answered_by"])
    assert [command.verb for command in Command.objects.all()] == ["permission.answer"]


def test_what_nobody_waits_for_any_more_cannot_be_answered(session: Session, alice_client: APIClient) -> None:
    permission = make_permission(session, state=PermissionState.LOST)
    problem(alice_client.post(answer_url(permission), {"choice": "once"}), 409, "permission_lost")


def test_a_question_is_answered_one_list_for_each(session: Session, alice_client: APIClient) -> None:
    permission = ask_question(session)
    shown = alice_client.get(URL).json()["results"][0]["questions"]
    assert shown[0]["options"][0] == {"label": "A", "description": ""}
    assert (shown[0]["custom"], shown[1]["custom"], shown[1]["options"]) == (True, False, [])
    given: dict[str, Any] = {"choice": "once", "answers": [["A"], ["because", "so"]]}
    body = alice_client.post(answer_url(permission), given).json()
    assert body["answers"] == given["answers"]
    assert Command.objects.get().data["answers"] == given["answers"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"choice": "once"}, "answers_missing"),
        ({"choice": "once", "answers": [["A"]]}, "answers_missing"),
        ({"choice": "session", "answers": [["A"], ["B"]]}, "unknown_choice"),
        ({"choice": "once", "answers": "A"}, "invalid"),
        ({"choice": "once", "answers": [["A"], [{"x": 1}]]}, "invalid"),
        ({"choice": "always"}, "unknown_choice"),
        ({"choice": "perhaps"}, "invalid"),
        ({}, "invalid"),
        ({"choice": "reject", "message": "x" * 10_001}, "message_too_long"),
    ],
)
def test_an_answer_that_fits_nothing_is_refused(
    session: Session, alice_client: APIClient, given: dict[str, Any], code: str
) -> None:
    permission = ask_question(session)
    problem(alice_client.post(answer_url(permission), given), 400, code)
    permission.refresh_from_db()
    assert permission.state == PermissionState.PENDING


def test_a_stranger_cannot_answer(session: Session, charlie_client: APIClient) -> None:
    permission = make_permission(session)
    problem(charlie_client.post(answer_url(permission), {"choice": "once"}), 404, "not_found")
