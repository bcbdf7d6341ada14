"""What sessions used and cost, over REST."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app.api import usage_answers
from sessions_app.models import InstanceState, Session, UsageEvent
from tests.conftest import client_of
from tests.sessions_app.api.problems import problem
from tests.sessions_app.conftest import make_instance, make_key, make_session

COUNTS = {"input": 100, "output": 20, "cached": 50, "written": 10, "reasoning": 5}
SUMS = {**COUNTS, "calls": 1, "cost_micros": 7, "unpriced_calls": 0, "estimated_calls": 0}
ONCE, TWICE = SUMS, {name: 2 * number for name, number in SUMS.items()}


def use(session: Session, model: str = "m", **fields: Any) -> UsageEvent:
    return UsageEvent.objects.create(
        session=session,
        owner=session.owner,
        request_id=str(UsageEvent.objects.count()),
        provider="demo",
        model=model,
        **{**COUNTS, "cost_micros": 7, **fields},
    )


def test_use_is_summed_by_session(session: Session, alice: User, bob: User, alice_client: APIClient) -> None:
    use(session)
    use(session)
    use(make_session(alice, title="Other"))
    use(make_session(bob, title="Bob's"))
    body = alice_client.get("/api/v1/usage/?group=session").json()
    assert body["totals"]["calls"] == 3
    assert {row["title"]: row["calls"] for row in body["results"]} == {"Alice's session": 2, "Other": 1}
    assert body["results"][0].keys() == {"session", "title", *TWICE}
    assert usage_answers.UsageSummarySerializer(body).data == body


def test_use_is_summed_by_model_and_by_day(session: Session, alice_client: APIClient) -> None:
    use(session, "a")
    use(session, "b")
    by_model = alice_client.get("/api/v1/usage/?group=model").json()["results"]
    assert by_model == [
        {"provider": "demo", "model": "a", **ONCE},
        {"provider": "demo", "model": "b", **ONCE},
    ]
    today = UsageEvent.objects.earliest("pk").created_at.date().isoformat()
    assert alice_client.get("/api/v1/usage/").json()["results"] == [{"day": today, **TWICE}]


def test_a_span_of_days_can_be_asked_for(session: Session, alice_client: APIClient) -> None:
    use(session)
    UsageEvent.objects.update(created_at=timezone.now().replace(2026, 3, 5))
    assert alice_client.get("/api/v1/usage/?from=2026-03-05&to=2026-03-06").json()["totals"] == ONCE
    assert alice_client.get("/api/v1/usage/?from=2026-03-06").json()["totals"]["calls"] == 0
    assert alice_client.get("/api/v1/usage/?to=2026-03-05T00:00:00Z").json()["totals"]["calls"] == 0


@pytest.mark.parametrize("query", ["from=yesterday", "to=2026-13-01", "group=colour"])
def test_a_span_that_makes_no_sense_is_refused(alice_client: APIClient, query: str) -> None:
    body = problem(alice_client.get(f"/api/v1/usage/?{query}"), 400, "invalid")
    assert list(body["errors"]) == [query.split("=")[0]]


def test_the_use_of_one_session(session: Session, alice_client: APIClient) -> None:
    use(session)
    body = alice_client.get(f"/api/v1/sessions/{session.pk}/usage/").json()
    assert body == {
        "totals": ONCE,
        "by_turn": [{"turn": None, **ONCE}],
        "by_model": [{"provider": "demo", "model": "m", **ONCE}],
        "unpriced": [],
        "instance_seconds": 0,
        "storage_bytes": None,
    }
    assert usage_answers.SessionUsageSerializer(body).data == body


def test_use_is_summed_by_key_and_keys_that_are_gone_stand_together(
    session: Session, alice: User, alice_client: APIClient
) -> None:
    key = make_key(alice)
    use(session, key=key)
    use(session)
    rows = alice_client.get("/api/v1/usage/?group=key").json()["results"]
    assert {row["key"]: (row["provider"], row["calls"]) for row in rows} == {
        None: ("", 1),
        str(key.pk): ("openai", 1),
    }


def test_a_model_without_a_price_is_named_and_not_free(session: Session, alice_client: APIClient) -> None:
    use(session, "known")
    use(session, "strange", cost_micros=None)
    body = alice_client.get("/api/v1/usage/").json()
    assert body["unpriced"] == [{"provider": "demo", "model": "strange", "calls": 1}]
    assert (body["totals"]["cost_micros"], body["totals"]["unpriced_calls"]) == (7, 1)


def test_how_fast_money_is_spent(session: Session, alice_client: APIClient) -> None:
    UsageEvent.objects.filter(pk=use(session).pk).update(created_at=timezone.now() - timedelta(hours=2))
    use(session)
    use(session)
    burn = alice_client.get("/api/v1/usage/").json()["burn"]
    assert burn == {"last_hour_micros": 14, "last_day_micros": 21}


def test_how_long_instances_lived_is_told(session: Session, alice_client: APIClient) -> None:
    now = timezone.now()
    lived = {"launched_at": now - timedelta(hours=2), "ended_at": now - timedelta(hours=1)}
    make_instance(session, InstanceState.STOPPED, **lived)
    assert alice_client.get("/api/v1/usage/").json()["instance_seconds"] == 3600
    half = (now - timedelta(minutes=90)).isoformat().replace("+", "%2B")
    assert alice_client.get(f"/api/v1/usage/?from={half}").json()["instance_seconds"] == 1800
    assert alice_client.get(f"/api/v1/sessions/{session.pk}/usage/").json()["instance_seconds"] == 3600


@pytest.mark.parametrize("query", ["group=user", "of=everybody", "group=user&of=me&format=csv"])
def test_only_administrators_see_what_others_used(
    session: Session, admin: User, alice_client: APIClient, query: str
) -> None:
    use(session)
    problem(alice_client.get(f"/api/v1/usage/?{query}"), 403, "not_permitted")
    assert session.owner.email in client_of(admin).get("/api/v1/usage/?group=user").content.decode()


def table(client: APIClient, query: str, **headers: Any) -> list[list[str]]:
    answer = client.get(f"/api/v1/usage/?{query}", **headers)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment")
    return list(csv.reader(io.StringIO(answer.content.decode())))


def test_a_table_for_a_spreadsheet(session: Session, alice_client: APIClient) -> None:
    use(session)
    names, row = table(alice_client, "group=model&format=csv")
    assert dict(zip(names, row, strict=True)) == {
        "provider": "demo",
        "model": "m",
        **{name: str(number) for name, number in ONCE.items()},
    }
    assert table(alice_client, "group=model", HTTP_ACCEPT="text/csv") == [names, row]
    assert table(alice_client, "format=csv&from=2000-01-01&to=2000-01-02")[0][0] == "day"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_title_is_a_formula_in_a_spreadsheet(alice: User, alice_client: APIClient, start: str) -> None:
    title = f'{start}HYPERLINK("http://evil.example")'
    use(make_session(alice, title=title))
    names, row = table(alice_client, "group=session&format=csv")
    assert row[names.index("title")] == f"'{title}"


def test_an_error_is_no_table(alice_client: APIClient) -> None:
    problem(alice_client.get("/api/v1/usage/?format=csv&from=never"), 400, "invalid")
