"""Metered use: counted once for each call, whatever the numbers are."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from keys_app.models import KeyAction, KeyUse
from openagent.accounts.models import User
from sessions_app.models import Price, Session, UsageEvent
from sessions_app.services import usage
from sidecar.protocol import messages
from tests.sessions_app.conftest import make_key

TURN = uuid.UUID(int=7)


def call(request_id: str = "r1", **counts: Any) -> messages.Usage:
    return messages.Usage(
        **{"request_id": request_id, "provider": "demo", "model": "m", "input": 10, "output": 2, **counts}
    )


def test_a_call_belongs_to_its_session_owner_and_key(session: Session, alice: User) -> None:
    key = make_key(alice)
    Session.objects.filter(pk=session.pk).update(key=key, provider="openai")
    usage.record(session_id=session.pk, turn=TURN, data=call(cached=4, reasoning=1, provider="openai"))
    row = UsageEvent.objects.get()
    assert (row.owner, row.key, row.turn) == (alice, key, TURN)
    assert (row.input, row.output, row.cached, row.reasoning) == (10, 2, 4, 1)


def test_repeating_a_call_counts_it_once(session: Session) -> None:
    for _ in range(3):
        usage.record(session_id=session.pk, turn=TURN, data=call())
    usage.record(session_id=session.pk, turn=TURN, data=call("r2"))
    assert usage.of_session(session.pk)["totals"]["calls"] == 2


def test_what_corrects_an_estimate_takes_its_place_however_often_either_comes(session: Session) -> None:
    Price.objects.filter(provider="demo").delete()
    Price.objects.create(provider="demo", pattern="*", valid_from="2026-01-01", input=1, output=1)
    estimate = call(input=90, output=900, estimated=True)
    told = call(input=8, output=3, cached=5, corrects=messages.Counted(input=90, output=900))
    for data in (estimate, estimate, told, estimate, told, call(input=1, output=1)):
        usage.record(session_id=session.pk, turn=TURN, data=data)
    row = UsageEvent.objects.get()
    assert (row.input, row.output, row.cached, row.cost_micros) == (8, 3, 5, 11)
    assert not row.is_estimated
    late = call("r2", input=8, output=3, corrects=messages.Counted(input=90, output=900))
    usage.record(session_id=session.pk, turn=TURN, data=late)
    assert usage.of_session(session.pk)["totals"]["calls"] == 2


def test_a_session_that_is_gone_is_not_counted(db: None) -> None:
    usage.record(session_id=uuid.uuid4(), turn=None, data=call())
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize("number", [-5, 2**64, 10**30])
def test_no_number_breaks_a_column(session: Session, number: int) -> None:
    usage.record(
        session_id=session.pk, turn=None, data=call(input=number, model="m" * 999, provider="p" * 99)
    )
    assert 0 <= UsageEvent.objects.get().input <= 10**12
    assert usage.of_session(session.pk)["totals"]["calls"] == 1


def test_a_session_sums_by_turn_and_by_model(session: Session) -> None:
    # Other tests may have emptied the table since the migration ran.
    Price.objects.all().delete()
    Price.objects.create(provider="demo", pattern="*", valid_from="2026-01-01", input=0, output=0)
    usage.record(session_id=session.pk, turn=TURN, data=call("1"))
    usage.record(session_id=session.pk, turn=TURN, data=call("2", model="n", cached=5, estimated=True))
    usage.record(session_id=session.pk, turn=None, data=call("3"))
    found = usage.of_session(session.pk)
    assert found["totals"] == {
        **{"input": 30, "output": 6, "cached": 5, "written": 0, "reasoning": 0},
        **{"calls": 3, "cost_micros": 0, "unpriced_calls": 0, "estimated_calls": 1},
    }
    assert {row["turn"]: row["calls"] for row in found["by_turn"]} == {None: 1, str(TURN): 2}
    assert {row["model"]: row["calls"] for row in found["by_model"]} == {"m": 2, "n": 1}


def test_what_was_before_or_after_does_not_count(session: Session, alice: User) -> None:
    usage.record(session_id=session.pk, turn=None, data=call())
    now = timezone.now()

    def calls(**span: Any) -> int:
        values = {"since": None, "until": None, "group": "day", **span}
        return int(usage.summarise(owner_id=alice.pk, **values)["totals"]["calls"])

    assert (calls(), calls(until=now), calls(since=now)) == (1, 1, 0)
    assert calls(until=UsageEvent.objects.get().created_at) == 0


def test_a_call_belongs_to_the_key_that_was_sealed_for_it(session: Session, alice: User) -> None:
    Session.objects.filter(pk=session.pk).update(provider="openai")
    chosen, newest = make_key(alice), make_key(alice)
    KeyUse.objects.create(
        key=chosen.pk,
        owner=alice,
        provider="openai",
        action=KeyAction.SEALED,
        session=session.pk,
        generation=2,
    )
    for generation in (1, 2):
        told = call(f"r{generation}", provider="openai")
        usage.record(session_id=session.pk, turn=None, data=told, generation=generation)
    # Before one is sealed it is the one that would be.
    keys = list(UsageEvent.objects.order_by("pk").values_list("key", flat=True))
    assert keys == [newest.pk, chosen.pk]


def test_what_a_call_cost_is_kept_with_it_and_unknown_is_not_free(session: Session) -> None:
    today = timezone.now().date()
    Price.objects.create(provider="openai", pattern="m", valid_from=today, input=2, output=10, cached="0.5")
    for model in ("m", "strange"):
        usage.record(
            session_id=session.pk,
            turn=None,
            data=call(model, provider="openai", model=model, input=100, output=7, cached=60),
        )
    rows = UsageEvent.objects.order_by("pk").values_list("cost_micros", flat=True)
    assert list(rows) == [40 * 2 + 30 + 70, None]
    Price.objects.update(input=3)
    assert rows[0] == 180, "what was charged stays"


def test_a_call_without_a_models_name_counts_as_the_sessions_model(session: Session) -> None:
    usage.record(session_id=session.pk, turn=None, data=call(model=""))
    assert UsageEvent.objects.get().model == session.model
