"""What sessions used and cost, over REST."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app.api import answers, usage_answers
from sessions_app.models import InstanceState, Session, StorageDay, UsageEvent
from tests.conftest import client_of
from tests.sessions_app.api.problems import problem
from tests.sessions_app.conftest import make_instance, make_key, make_session

COUNTS = {"input": 100, "output": 20, "cached": 50, "written": 10, "reasoning": 5}
SUMS = {**COUNTS, "calls": 1, "cost_micros": 7, "unpriced_calls": 0, "estimated_calls": 0}
STORED_NOTHING = {"storage_byte_days": 0}
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
    assert body["results"][0].keys() == {"session", "title", *TWICE, "storage_byte_days"}
    assert usage_answers.UsageSummarySerializer(body).data == body


def test_use_is_summed_by_model_and_by_day(session: Session, alice_client: APIClient) -> None:
    use(session, "a")
    use(session, "b")
    # On one day, even if one ended between them.
    UsageEvent.objects.update(created_at=timezone.now())
    by_model = alice_client.get("/api/v1/usage/?group=model").json()["results"]
    assert by_model == [
        {"provider": "demo", "model": "a", **ONCE},
        {"provider": "demo", "model": "b", **ONCE},
    ]
    today = UsageEvent.objects.earliest("pk").created_at.date().isoformat()
    assert alice_client.get("/api/v1/usage/").json()["results"] == [{"day": today, **TWICE, **STORED_NOTHING}]


def test_a_span_of_days_can_be_asked_for(session: Session, alice_client: APIClient) -> None:
    use(session)
    UsageEvent.objects.update(created_at=timezone.now().replace(2026, 3, 5))
    assert alice_client.get("/api/v1/usage/?from=2026-03-05&to=2026-03-06").json()["totals"] == ONCE
    assert alice_client.get("/api/v1/usage/?from=2026-03-06").json()["totals"]["calls"] == 0
    assert alice_client.get("/api/v1/usage/?to=2026-03-05T00:00:00Z").json()["totals"]["calls"] == 0


@pytest.mark.parametrize("query", ["from=yesterday", "to=2026-13-01", "to=0001-01-01", "group=colour"])
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
        **STORED_NOTHING,
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


@pytest.fixture
def stored(session: Session, bob: User) -> Iterator[Session]:
    """Alice's session has stored something since two days ago, Bob's since today; neither called a model.

    Today does not end before the test does.
    """
    now = timezone.now()
    for row, days, size in ((session, 2, 100), (make_session(bob), 0, 1)):
        Session.objects.filter(pk=row.pk).update(disk_bytes=size, disk_measured_at=now)
        StorageDay.objects.create(
            session=row, owner=row.owner, day=(now - timedelta(days=days)).date(), most=size + 10, last=size
        )
    with time_machine.travel(now, tick=False):
        yield session


def test_what_disks_take_is_told_now_and_over_time(stored: Session, alice_client: APIClient) -> None:
    body = alice_client.get("/api/v1/usage/").json()
    assert (body["storage_bytes"], body["storage_byte_days"]) == (100, 310)
    assert [row["storage_byte_days"] for row in body["results"]] == [110, 100, 100]
    assert (body["results"][0]["calls"], body["totals"]["calls"]) == (0, 0)
    assert usage_answers.UsageSummarySerializer(body).data == body
    of_session = alice_client.get(f"/api/v1/sessions/{stored.pk}/usage/").json()
    assert (of_session["storage_bytes"], of_session["storage_byte_days"]) == (100, 310)
    since = (timezone.now() - timedelta(days=1)).date()
    later = alice_client.get(f"/api/v1/usage/?from={since}&group=session").json()
    assert later["results"] == [
        {"session": str(stored.pk), "title": stored.title, **dict.fromkeys(SUMS, 0), "storage_byte_days": 200}
    ]
    for group in ("model", "key"):
        body = alice_client.get(f"/api/v1/usage/?group={group}").json()
        assert (body["results"], body["storage_byte_days"]) == ([], 310)


def test_a_session_says_what_its_disk_took(stored: Session, alice_client: APIClient) -> None:
    Session.objects.filter(pk=stored.pk).update(disk_limit_bytes=1000)
    disk = alice_client.get(f"/api/v1/sessions/{stored.pk}/").json()["disk"]
    assert (disk["bytes"], disk["limit"]) == (100, 1000)
    assert answers.DiskSerializer(disk).data == disk


def test_a_table_has_what_was_stored(stored: Session, admin: User) -> None:
    names, *rows = table(client_of(admin), "group=user&format=csv")
    found = {row[names.index("email")]: row[names.index("storage_byte_days")] for row in rows}
    assert found == {stored.owner.email: "310", "bob@example.com": "11"}


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
