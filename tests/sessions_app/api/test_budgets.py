"""Budgets over REST: one's own for one's sessions and keys, all others are the administrators'."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app.api.budgets import BudgetSerializer
from sessions_app.models import Budget, Session
from tests.conftest import client_of
from tests.sessions_app.api.problems import problem
from tests.sessions_app.conftest import make_key

URL = "/api/v1/budgets/"


def body(kind: str, subject: object, **fields: Any) -> dict[str, Any]:
    return {"subject_kind": kind, "subject": str(subject), "measure": "tokens", "limit": 5, **fields}


def test_a_budget_of_ones_own_is_set_raised_and_taken_away(session: Session, alice_client: APIClient) -> None:
    made = alice_client.post(URL, body("session", session.pk, measure="money", period="total")).json()
    assert BudgetSerializer(made).data == made
    assert (made["subject"], made["used"], made["soft_percent"]) == (str(session.pk), 0, 80)
    assert made["is_own"] and made["can_change"]
    changed = alice_client.patch(f"{URL}{made['id']}/", {"limit": 7, "soft_percent": 50}).json()
    assert (changed["limit"], changed["soft_percent"]) == (7, 50)
    assert alice_client.get(URL).json()["results"] == [changed]
    assert alice_client.delete(f"{URL}{made['id']}/").status_code == 204
    assert alice_client.get(URL).json()["results"] == []


def test_nobody_limits_others(session: Session, alice: User, bob: User, charlie_client: APIClient) -> None:
    key = make_key(alice)
    for kind, subject in (("session", session.pk), ("key", key.pk), ("session", "no id"), ("key", 7)):
        problem(charlie_client.post(URL, body(kind, subject)), 404, "not_found")
    group = Group.objects.create(name="team")
    for kind, subject in (("user", alice.pk), ("user", bob.pk), ("user", uuid.uuid4()), ("group", group.pk)):
        problem(charlie_client.post(URL, body(kind, subject)), 403, "not_permitted")
    assert not Budget.objects.exists()


@pytest.mark.parametrize("kind", ["user", "group", "key", "session"])
def test_what_administrators_set_is_seen_and_not_changed(
    session: Session, alice: User, admin: User, alice_client: APIClient, charlie_client: APIClient, kind: str
) -> None:
    group = Group.objects.create(name="team")
    group.user_set.add(alice)
    subjects = {"user": alice, "group": group, "key": make_key(alice), "session": session}
    made = client_of(admin).post(URL, body(kind, subjects[kind].pk, period="day")).json()
    (seen,) = alice_client.get(URL).json()["results"]
    assert seen == {**made, "can_change": False}
    assert not seen["is_own"]
    problem(alice_client.patch(f"{URL}{made['id']}/", {"limit": 10**6}), 403, "not_permitted")
    problem(alice_client.delete(f"{URL}{made['id']}/"), 403, "not_permitted")
    assert charlie_client.get(URL).json()["results"] == []
    problem(charlie_client.get(f"{URL}{made['id']}/"), 404, "not_found")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"limit": -1}, "limit"),
        ({"limit": 2**64}, "limit"),
        ({"measure": "love"}, "measure"),
        ({"period": "week"}, "period"),
        ({"soft_percent": 101}, "soft_percent"),
        ({"subject_kind": "planet"}, "subject_kind"),
    ],
)
def test_what_makes_no_sense_is_refused(
    session: Session, alice_client: APIClient, fields: dict[str, Any], name: str
) -> None:
    answer = problem(alice_client.post(URL, {**body("session", session.pk), **fields}), 400, "invalid")
    assert list(answer["errors"]) == [name]


@pytest.mark.parametrize(
    ("kind", "name"),
    [("user", "Alice"), ("group", "team"), ("key", "openai …{}"), ("session", "Old one")],
)
def test_administrators_see_of_whom_a_budget_of_others_is(
    session: Session, alice: User, admin: User, alice_client: APIClient, kind: str, name: str
) -> None:
    group, key = Group.objects.create(name="team"), make_key(alice)
    group.user_set.add(alice)
    Session.objects.filter(pk=session.pk).update(title="Old one")
    subjects = {"user": alice, "group": group, "key": key, "session": session}
    made = client_of(admin).post(URL, body(kind, subjects[kind].pk, limit=0)).json()
    assert made["subject_name"] == name.format(key.hint)
    assert f"The budget of {kind} {made['subject_name']} is used up" in made["message"]
    (seen,) = alice_client.get(URL).json()["results"]
    assert ("your account" in seen["message"]) == (kind == "user")
