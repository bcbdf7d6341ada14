"""The way out of boxes over REST: what holds, what was reached, and what a user wants and has decided."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app.api import egress_answers
from sessions_app.models import EgressBounds, EgressRule, Permission, Session
from sessions_app.services import egress
from tests.sessions_app.api.problems import problem
from tests.sessions_app.conftest import make_events, make_instance, make_permission, make_session

RULES = "/api/v1/egress/rules/"


def url(session: Session) -> str:
    return f"/api/v1/sessions/{session.pk}/"


def test_a_session_says_what_is_wanted_and_can_be_changed(session: Session, alice_client: APIClient) -> None:
    shown = alice_client.get(url(session)).json()["egress"]
    assert shown == {"policy": "allow-list", "ask": True, "hosts": []}
    body = {"egress": {"hosts": ["A.example", "*.b.example:8443"], "ask": False}}
    changed = alice_client.patch(url(session), body).json()["egress"]
    assert changed == {"policy": "allow-list", "ask": False, "hosts": ["a.example", "*.b.example:8443"]}
    assert alice_client.patch(url(session), {"egress": {}}).json()["egress"] == changed


def test_a_session_can_be_made_with_it(alice_client: APIClient) -> None:
    made = alice_client.post("/api/v1/sessions/", {"egress": {"policy": "none"}})
    assert made.status_code == 201
    assert made.json()["egress"] == {"policy": "none", "ask": True, "hosts": []}


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"policy": "everything"}, "invalid"),
        ({"policy": "full"}, "egress_forbidden"),
        ({"hosts": ["http://a.example"]}, "bad_host"),
        ({"hosts": "a.example"}, "invalid"),
        ({"hosts": [""]}, "bad_host"),
        ({"hosts": ["x" * 500]}, "bad_host"),
        ({"hosts": [f"{n}.example" for n in range(101)]}, "bad_host"),
        ({"ask": "perhaps"}, "invalid"),
    ],
)
def test_what_cannot_be_is_refused(session: Session, alice_client: APIClient, wish: Any, code: str) -> None:
    EgressBounds.objects.create(pk=1, loosest="allow-list")
    body = problem(alice_client.patch(url(session), {"egress": wish}), 400, code)
    assert list(body["errors"]) == ["egress"]


@pytest.mark.parametrize("host", ["\ud800.example", "\x00", "a\u202e.example"])
def test_what_is_no_text_for_a_host_is_refused_as_well(
    session: Session, alice_client: APIClient, host: str
) -> None:
    body = json.dumps({"egress": {"hosts": [host]}})
    answer = alice_client.patch(url(session), body, content_type="application/json")
    assert answer.status_code == 400, answer.content


def test_the_log_of_hosts_comes_page_by_page(session: Session, alice_client: APIClient) -> None:
    make_events(
        session,
        [
            {"kind": "egress.used", "data": {"host": f"{n}.example", "port": 443, "count": n}}
            for n in range(1, 6)
        ],
    )
    seen = []
    address: str | None = f"{url(session)}egress/?limit=2"
    while address:
        page = alice_client.get(address).json()
        seen += [(row["host"], row["used"]) for row in page["results"]]
        address = page["next"]
    assert seen == [(f"{n}.example", n) for n in range(5, 0, -1)]
    assert egress_answers.SessionEgressSerializer(page).data == page


def test_what_holds_is_within_the_bounds(session: Session, alice_client: APIClient) -> None:
    EgressBounds.objects.create(pk=1, loosest="none", default_policy="full", users_add_hosts=False)
    assert alice_client.get(f"{url(session)}egress/").json()["policy"] == "none"
    assert alice_client.get("/api/v1/egress/bounds/").json() == {
        "loosest": "none",
        "default_policy": "none",
        "default_ask": True,
        "users_add_hosts": False,
    }


def test_rules_are_made_listed_and_taken_back(alice: User, bob: User, alice_client: APIClient) -> None:
    egress.decide(owner_id=bob.pk, host="bobs.example", verdict="always")
    where = make_session(alice, title="Where it was asked")
    egress.decide(owner_id=alice.pk, host="asked.example", verdict="never", session=where)
    made = alice_client.post(RULES, {"host": "A.example", "verdict": "always"})
    assert (made.status_code, made.json()["host"]) == (201, "a.example")
    listed = alice_client.get(RULES).json()["results"]
    assert [(row["host"], row["verdict"], row["session_title"]) for row in listed] == [
        ("a.example", "always", ""),
        ("asked.example", "never", "Where it was asked"),
    ]
    assert alice_client.delete(f"{RULES}{listed[0]['id']}/").status_code == 204
    assert list(EgressRule.objects.values_list("host", flat=True).order_by("host")) == [
        "asked.example",
        "bobs.example",
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"host": "10.0.0.1", "verdict": "always"}, "bad_host"),
        ({"host": "a.example", "verdict": "once"}, "invalid"),
        ({"host": "a.example"}, "invalid"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(alice_client: APIClient, body: Any, code: str) -> None:
    problem(alice_client.post(RULES, body), 400, code)


def test_where_the_administrator_alone_decides_a_user_cannot(alice_client: APIClient) -> None:
    EgressBounds.objects.create(pk=1, users_add_hosts=False)
    problem(alice_client.post(RULES, {"host": "a.example", "verdict": "always"}), 403, "egress_forbidden")


@pytest.mark.parametrize(("kind", "expected"), [("egress", 200), ("tool", 400), ("question", 400)])
@pytest.mark.parametrize("choice", ["always", "never"])
def test_only_hosts_are_decided_for_good(
    session: Session, alice_client: APIClient, kind: str, expected: int, choice: str
) -> None:
    permission: Permission = make_permission(
        session, type=kind, asked={"host": "a.example"}, instance=make_instance(session)
    )
    answered = alice_client.post(f"/api/v1/permissions/{permission.pk}/answer/", {"choice": choice})
    assert answered.status_code == expected
    assert EgressRule.objects.exists() is (expected == 200)
