"""Whoever shares a budget hears how far it is used up; whoever waits for one may sleep, and goes on after."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.sites import site
from django.test import RequestFactory
from django.utils import timezone

from openagent.accounts.models import User
from sessions_app.models import Budget, Command, Instance, InstanceState, Price, PromptState, Session
from sessions_app.services import (
    activity,
    budget_changes,
    budget_levels,
    budgets,
    instances,
    lifecycle,
    projection,
    prompts,
    reconciler,
    state,
)
from sidecar.protocol import messages
from sidecar.protocol.budget import BUDGET_VERSION
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import make_instance, make_prompt, make_session
from tests.sessions_app.services.test_budgets import budget, use


def version(session: Session) -> int:
    return Session.objects.values_list("state_version", flat=True).get(pk=session.pk)


def call(session: Session, tokens: int) -> None:
    """The sidecar tells of a call."""
    instance = session.instances.first() or make_instance(session)
    told = messages.Usage(request_id=uuid.uuid4().hex, provider="demo", model="demo", input=tokens, output=0)
    event = messages.Event(seq=1, gen=1, turn=None, ts="", kind="usage", data=messages.to_data(told))
    projection.apply(instance=instance, event=event)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """The sessions whose budgets were to be looked at; the work is done at once."""
    asked: list[uuid.UUID] = []

    def look(session_id: uuid.UUID) -> None:
        asked.append(session_id)
        budget_levels.look(session_id=session_id)

    monkeypatch.setattr("sessions_app.jobs.look_at_budgets", look)
    return asked


@pytest.mark.parametrize("measure", ["tokens", "money"])
def test_all_sessions_that_share_a_budget_hear_of_each_level_once(
    session: Session,
    alice: User,
    bob: User,
    told: list[uuid.UUID],
    django_capture_on_commit_callbacks: Any,
    measure: str,
) -> None:
    Price.objects.filter(provider="demo").delete()
    Price.objects.create(provider="demo", pattern="*", valid_from="2026-01-01", input=1, output=1)
    other, strange = make_session(alice), make_session(bob)
    budget(100, measure, user=alice)
    versions = []
    for tokens in (79, 1, 10, 10, 10):
        with django_capture_on_commit_callbacks(execute=True):
            call(session, tokens)
        versions.append((version(other), [each["level"] for each in state.snapshot(other.pk)["budgets"]]))
    first = versions[0][0]
    assert versions == [
        (first, []),
        (first + 1, ["soft"]),
        (first + 1, ["soft"]),
        (first + 2, ["hard"]),
        (first + 2, ["hard"]),
    ]
    assert version(strange) == first and set(told) == {session.pk}


def test_what_is_stored_waits_for_no_sums_and_nobody_is_asked_to_make_any_without_a_budget(
    session: Session,
    alice: User,
    bob: User,
    told: list[uuid.UUID],
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    budget(100, user=alice)
    strange = make_session(bob)
    with monkeypatch.context() as storing, django_capture_on_commit_callbacks() as later:
        storing.setattr(budgets, "used", lambda budget: pytest.fail("sums while events are stored"))
        call(session, 100)
        call(strange, 100)
    for callback in later:
        callback()
    assert told == [session.pk]
    assert [each["level"] for each in state.snapshot(session.pk)["budgets"]] == ["hard"]
    assert Budget.objects.get().told_level == "hard"


def test_fifty_calls_are_counted_together_and_the_last_one_counts(
    session: Session,
    alice: User,
    told: list[uuid.UUID],
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    budget(100, user=alice)
    sums: list[int] = []
    used = budgets.used

    def counting(budget: Budget) -> int:
        sums.append(used(budget))
        return sums[-1]

    monkeypatch.setattr(budgets, "used", counting)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(49):
            call(session, 2)
    assert (told, set(sums)) == ([session.pk], {98}) and len(sums) <= 5
    with django_capture_on_commit_callbacks(execute=True):
        call(session, 2)
    assert (told, Budget.objects.get().told_level) == ([session.pk] * 2, "hard")


def test_a_call_that_comes_while_sums_are_made_has_them_made_again(
    session: Session,
    alice: User,
    told: list[uuid.UUID],
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    budget(100, user=alice)
    late = [100]
    used = budgets.used

    def meanwhile(budget: Budget) -> int:
        found = used(budget)
        if late:
            call(session, late.pop())
        return found

    monkeypatch.setattr(budgets, "used", meanwhile)
    with django_capture_on_commit_callbacks(execute=True):
        call(session, 1)
    assert (told, Budget.objects.get().told_level) == ([session.pk] * 2, "hard")


def test_a_look_that_was_lost_keeps_no_later_one_away(
    session: Session,
    alice: User,
    told: list[uuid.UUID],
    django_capture_on_commit_callbacks: Any,
) -> None:
    budget(100, user=alice)
    with django_capture_on_commit_callbacks():
        call(session, 80)
    assert not told and Budget.objects.get().told_level == ""
    budget_levels.look_at_all()
    assert Budget.objects.get().told_level == "soft"
    with django_capture_on_commit_callbacks(execute=True):
        call(session, 20)
    assert (told, Budget.objects.get().told_level) == ([session.pk], "hard")


@pytest.mark.parametrize(("version", "stopped"), [(BUDGET_VERSION, 0), (BUDGET_VERSION - 1, 1)])
def test_a_stop_of_a_sidecar_that_is_too_old_is_made_up_for_by_the_next_pass(
    session: Session, version: int, stopped: int
) -> None:
    instance = make_instance(session, link_version=version)
    make_prompt(session, PromptState.RUNNING, instance=instance)
    budget(100, session=session)
    use(session, 99)
    budget_levels.look_at_all()
    assert not Command.objects.exists()
    use(session, 1)
    for _ in range(2):
        budget_levels.look_at_all()
    assert Command.objects.filter(verb="turn.cancel").count() == stopped


def test_a_level_that_nobody_told_of_is_found_by_the_next_pass(session: Session, alice: User) -> None:
    other = make_session(alice)
    budget(100, user=alice)
    use(session, 85)
    before = version(other)
    for _ in range(2):
        activity.reap()
    assert version(other) == before + 1


@pytest.mark.parametrize("by", ["service", "admin", "admin's list"])
def test_whoever_was_bound_hears_that_a_budget_is_gone(session: Session, alice: User, by: str) -> None:
    other = make_session(alice)
    made = budget(100, user=alice, owner=alice)
    use(session, 100)
    before = version(other)
    page, request = site._registry[Budget], RequestFactory().post("/")
    if by == "service":
        budget_changes.remove(made, user=alice)
    elif by == "admin":
        page.delete_model(request, made)
    else:
        page.delete_queryset(request, Budget.objects.all())
    assert not Budget.objects.exists()
    assert version(other) > before and state.snapshot(other.pk)["budgets"] == []


def test_a_session_that_waits_for_a_budget_falls_asleep_and_goes_on_after(
    driver: FakeDriver, session: Session, alice: User
) -> None:
    instance = make_instance(session)
    made = budget(session=session, owner=alice)
    use(session)
    prompt = make_prompt(session)
    for _ in range(activity._limit()):
        activity.reap()
    instance.refresh_from_db()
    assert (instance.state, instance.stop_reason) == (InstanceState.STOPPING, "idle")
    lifecycle.finish(instance_id=instance.pk, told=True)
    assert not Instance.objects.live().exists(), "it does not wake for what may not run"
    Instance.objects.update(removed_at=timezone.now())
    reconciler.reconcile()
    assert not Instance.objects.live().exists()
    budget_changes.change(made, user=alice, limit=101)
    (live,) = Instance.objects.live()
    assert live.pk != instance.pk
    prompt.refresh_from_db()
    assert prompt.state == PromptState.QUEUED


def test_a_new_period_wakes_whoever_slept_over_it(driver: FakeDriver, session: Session) -> None:
    budget(session=session)
    row = use(session)
    make_prompt(session)
    reconciler.reconcile()
    assert not Instance.objects.live().exists()
    type(row).objects.update(created_at=timezone.now() - timedelta(days=1))
    reconciler.reconcile()
    assert Instance.objects.live().exists()


def test_a_prompt_that_may_not_run_wakes_nobody_and_a_person_does(session: Session, alice: User) -> None:
    budget(0, session=session)
    prompts.submit(prompt_id=uuid.uuid4(), session=session, author=alice, text="Go on.")
    assert not Instance.objects.live().exists()
    assert instances.wake(session_id=session.pk) is not None


def test_a_turn_that_runs_or_a_question_keeps_a_session_awake_that_waits_for_a_budget(
    session: Session,
) -> None:
    instance = make_instance(session)
    budget(0, session=session)
    make_prompt(session, PromptState.RUNNING, instance=instance)
    make_prompt(session)
    for _ in range(activity._limit() + 1):
        activity.reap()
    instance.refresh_from_db()
    assert instance.state == InstanceState.READY
