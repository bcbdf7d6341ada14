"""Budgets: whom they bind, how much of them is used, what they stop, and how it goes on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import override_settings
from django.utils import timezone

from openagent.accounts.models import User
from sessions_app.models import (
    Budget,
    Command,
    Instance,
    Measure,
    Price,
    PromptState,
    Session,
    UsageEvent,
)
from sessions_app.services import (
    budget_asks,
    budget_changes,
    budget_levels,
    budgets,
    projection,
    prompts,
    state,
)
from sidecar.protocol import messages
from sidecar.protocol.budget import BUDGET_VERSION, BudgetAsk
from tests.sessions_app.conftest import make_instance, make_key, make_prompt, make_session


def use(session: Session, tokens: int = 100, **fields: Any) -> UsageEvent:
    values: dict[str, Any] = {
        "provider": "demo",
        "model": "demo",
        "input": tokens,
        "output": 0,
        "cost_micros": tokens,
    }
    values |= {"request_id": uuid.uuid4().hex, **fields}
    return UsageEvent.objects.create(session=session, owner=session.owner, **values)


def budget(limit: int = 100, measure: str = "tokens", period: str = "day", **fields: Any) -> Budget:
    return Budget.objects.create(limit=limit, measure=measure, period=period, **fields)


Bound = Callable[[Session], dict[str, Any]]


def group_of(session: Session) -> Group:
    group = Group.objects.create(name="team")
    group.user_set.add(session.owner)
    return group


SUBJECTS: dict[str, Bound] = {
    "session": lambda session: {"session": session},
    "user": lambda session: {"user": session.owner},
    "group": lambda session: {"group": group_of(session)},
    "key": lambda session: {"key": session.key},
}


@pytest.mark.parametrize("kind", SUBJECTS)
def test_each_kind_of_budget_binds_whom_it_is_for(session: Session, bob: User, kind: str) -> None:
    session.key, session.provider = make_key(session.owner), "openai"
    session.save()
    made = budget(**SUBJECTS[kind](session))
    theirs = make_session(bob, key=make_key(bob), provider="openai")
    use(theirs, 1000, key=theirs.key)
    assert (budgets.used(made), budgets.refusal(session)) == (0, "")
    use(session, key=session.key)
    assert budgets.used(made) == 100
    assert "is used up: 100 tokens of 100 tokens today" in budgets.refusal(session)
    assert budgets.refusal(theirs) == ""
    assert (made.subject_kind, made.subject_id) == (kind, str(SUBJECTS_ID[kind](made)))


SUBJECTS_ID: dict[str, Callable[[Budget], Any]] = {
    "session": lambda made: made.session_id,
    "user": lambda made: made.user_id,
    "group": lambda made: made.group_id,
    "key": lambda made: made.key_id,
}


def test_a_budget_of_a_key_binds_before_the_key_is_sealed(session: Session) -> None:
    """Also one that the session does not name: it is the one that its next call would use."""
    session.provider = "openai"
    session.save()
    key = make_key(session.owner)
    budget(0, key=key)
    assert budgets.refusal(session)


def test_what_forbids_a_call_is_told_and_a_full_place_is_not(session: Session, alice: User) -> None:
    budget(1, "live_sessions", user=alice)
    make_instance(session, launched_at=timezone.now())
    assert budgets.notices(session) == []
    money = budget(1_000_000, "money", session=session)
    session.provider, session.model = "openai", "strange"
    [notice] = budgets.notices(session)
    assert (notice["id"], notice["level"]) == (str(money.pk), "hard")
    assert "what strange costs is not known" in notice["message"]


def test_sessions_of_one_user_share_the_users_budget(session: Session, alice: User) -> None:
    other = make_session(alice)
    budget(user=alice)
    use(session, 60)
    use(other, 40)
    assert budgets.refusal(session) and budgets.refusal(other)


@pytest.mark.parametrize(("period", "counted"), [("day", 1), ("month", 1 + 10), ("total", 1 + 10 + 100)])
def test_a_period_begins_anew(session: Session, period: str, counted: int) -> None:
    made = budget(session=session, period=period)
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    for tokens, moment in (
        (1, now),
        (10, now.replace(hour=0) - timedelta(seconds=1)),
        (100, now.replace(day=1, hour=0) - timedelta(seconds=1)),
    ):
        row = use(session, tokens)
        UsageEvent.objects.filter(pk=row.pk).update(created_at=moment)
    with time_machine.travel(now, tick=False):
        assert budgets.used(made) == counted


def test_money_is_what_calls_cost(session: Session) -> None:
    made = budget(2_000_000, "money", session=session)
    use(session, cost_micros=1_700_000)
    (standing,) = budgets.of_session(session)
    assert (standing.used, standing.level) == (1_700_000, "soft")
    assert "nearly used up: $1.70 of $2.00 today" in standing.message
    use(session, cost_micros=400_000)
    assert "used up: $2.10 of $2.00" in budgets.refusal(session)
    assert made.owner is None and "An administrator can raise it" in budgets.refusal(session)


def test_whoever_set_it_is_named(session: Session, alice: User) -> None:
    budget(0, session=session, owner=alice)
    assert f"{alice.get_full_name()} can raise it" in budgets.refusal(session)


def priced(provider: str = "demo") -> None:
    Price.objects.get_or_create(
        provider=provider, pattern="*", valid_from="2026-01-01", defaults={"input": 0, "output": 0}
    )


def test_a_model_without_a_price_is_refused_under_a_budget_of_money(session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(provider="openai", model="strange")
    session.refresh_from_db()
    assert budgets.refusal(session) == ""
    budget(10**9, "money", session=session)
    assert "what strange costs is not known" in budgets.refusal(session)
    with override_settings(OPENAGENT_BUDGET_UNPRICED=True):
        assert budgets.refusal(session) == ""
    Price.objects.create(provider="openai", pattern="strange", valid_from="2026-01-01", input=1, output=1)
    assert budgets.refusal(session) == ""


def test_a_model_that_the_agent_chose_by_itself_is_found_out(session: Session) -> None:
    priced()
    budget(10**9, "money", session=session)
    use(session, model="small-and-strange", cost_micros=None)
    assert "what small-and-strange costs is not known" in budgets.refusal(session)


# --- before a call


def ask(instance: Instance, *calls: str) -> Any:
    return budget_asks.answer(instance_id=instance.pk, ask=BudgetAsk(id="q", calls=list(calls)))


def test_a_sidecar_is_told_whether_it_may_go_on(session: Session) -> None:
    instance = make_instance(session)
    assert (ask(instance).limited, ask(instance).refused) == (False, "")
    budget(150, session=session)
    assert (ask(instance).limited, ask(instance).refused) == (True, "")
    use(session, 150)
    assert "used up" in ask(instance).refused


def test_it_has_to_wait_until_its_own_calls_are_stored(session: Session) -> None:
    instance = make_instance(session)
    budget(session=session)
    assert ask(instance, "r1").again
    use(session, request_id="r1")
    found = ask(instance, "r1")
    assert not found.again and found.refused


def test_calls_of_another_session_are_not_taken_for_its_own(session: Session, alice: User) -> None:
    use(make_session(alice), request_id="r1")
    assert ask(make_instance(session), "r1").again


def test_a_shared_budget_is_passed_by_one_call_of_each_session_at_most(alice: User) -> None:
    """All sessions ask whenever they may and call at once; none asks again before its call is stored."""
    limit, call = 1000, 70
    budget(limit, user=alice)
    live = [make_instance(make_session(alice)) for _ in range(4)]
    waiting = {instance.pk: instance for instance in live}
    while waiting:
        allowed = [instance for instance in waiting.values() if not ask(instance).refused]
        waiting = {instance.pk: instance for instance in allowed}
        for instance in allowed:
            use(instance.session, call)
    spent = UsageEvent.objects.totals_by()[()]["input"]
    assert limit <= spent < limit + call * len(live)


# --- what waits, and how it goes on


def test_a_prompt_stays_queued_while_nothing_is_left_and_goes_on_when_it_is_raised(
    session: Session, alice: User
) -> None:
    make_instance(session)
    made = budget(session=session, owner=alice)
    use(session)
    prompt = make_prompt(session)
    assert not prompts.dispatch(session_id=session.pk)
    prompt.refresh_from_db()
    assert prompt.state == PromptState.QUEUED
    budget_changes.change(made, user=alice, limit=101)
    prompt.refresh_from_db()
    assert prompt.state == PromptState.SENT


def test_what_waits_goes_on_when_a_budget_is_taken_away(session: Session, alice: User) -> None:
    make_instance(session)
    made = budget(0, session=session, owner=alice)
    prompt = make_prompt(session)
    assert not prompts.dispatch(session_id=session.pk)
    budget_changes.remove(made, user=alice)
    prompt.refresh_from_db()
    assert prompt.state == PromptState.SENT


def test_the_turn_of_a_sidecar_that_is_too_old_to_ask_is_stopped(
    session: Session, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(
        "sessions_app.jobs.look_at_budgets", lambda session_id: budget_levels.look(session_id=session_id)
    )
    for version, stopped in ((BUDGET_VERSION, 0), (BUDGET_VERSION - 1, 1)):
        instance = session.instances.first() or make_instance(session)
        Instance.objects.filter(pk=instance.pk).update(link_version=version)
        instance.refresh_from_db()
        Budget.objects.all().delete()
        budget(session=session)
        turn = session.prompts.first() or make_prompt(session, PromptState.RUNNING, instance=instance)
        told = messages.Usage(request_id=f"r{version}", provider="demo", model="demo", input=100, output=0)
        event = messages.Event(
            seq=1, gen=1, turn=str(turn.pk), ts="", kind="usage", data=messages.to_data(told)
        )
        with django_capture_on_commit_callbacks(execute=True):
            projection.apply(instance=instance, event=event)
        assert Command.objects.filter(verb="turn.cancel").count() == stopped


# --- who is told


def test_a_session_shows_budgets_that_are_nearly_used_up(session: Session) -> None:
    budget(200, session=session)
    use(session, 159)
    assert state.snapshot(session.pk)["budgets"] == []
    use(session, 1)
    (shown,) = state.snapshot(session.pk)["budgets"]
    assert (shown["level"], shown["used"], shown["measure"]) == ("soft", 160, Measure.TOKENS)
    use(session, 40)
    assert state.snapshot(session.pk)["budgets"][0]["level"] == "hard"
