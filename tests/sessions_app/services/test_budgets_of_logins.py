"""A login that is inside of the box is counted nowhere: under a budget of use nothing runs with it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from openagent.accounts.models import User
from sessions_app.models import Budget, Command, Instance, InstanceState, PromptState, Session
from sessions_app.services import activity, budget_changes, budget_levels, budgets, orders, prompts, state
from sidecar.protocol.egress import Egress
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import make_instance, make_key, make_prompt, make_session
from tests.sessions_app.services.test_budgets import budget


@pytest.fixture
def boxed(session: Session) -> Session:
    Session.objects.filter(pk=session.pk).update(agent="copilot", provider="copilot-login", model="auto")
    session.refresh_from_db()
    return session


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be told of budgets is told at once."""
    monkeypatch.setattr(
        "sessions_app.jobs.tell_of_budget", lambda budget_id: budget_levels.tell(budget_id=budget_id)
    )


@pytest.mark.parametrize("measure", ["tokens", "money"])
def test_a_budget_that_comes_later_stops_what_runs_with_it(
    boxed: Session, alice: User, told: None, django_capture_on_commit_callbacks: Any, measure: str
) -> None:
    instance, other = make_instance(boxed), make_instance(make_session(alice))
    make_prompt(boxed, PromptState.RUNNING, instance=instance)
    with django_capture_on_commit_callbacks(execute=True):
        made = budget_changes.create(
            user=alice, subject_kind="user", subject="me", measure=measure, limit=10**9, period="day"
        )
    for each in (instance, other):
        each.refresh_from_db()
    assert (instance.state, instance.stop_reason) == (InstanceState.STOPPING, "uncounted")
    assert other.state == InstanceState.READY
    assert Command.objects.get(instance=instance, verb="instance.stop").data == {"reason": "uncounted"}
    [notice] = state.snapshot(boxed.pk)["budgets"]
    assert (notice["id"], notice["level"]) == (str(made.pk), "hard")
    assert "GitHub Copilot's own login is not counted" in notice["message"]
    assert "Choose another provider" in notice["message"] and "take the budget away" in notice["message"]


def test_a_stop_that_was_lost_is_made_up_for_by_the_next_pass(boxed: Session) -> None:
    instance = make_instance(boxed)
    budget(10**9, session=boxed)
    activity.reap()
    instance.refresh_from_db()
    assert instance.stop_reason == "uncounted"
    activity.reap()
    assert Command.objects.filter(verb="instance.stop").count() == 1


def test_prompts_wait_and_go_on_when_the_budget_is_gone(
    driver: FakeDriver, boxed: Session, alice: User
) -> None:
    made = budget(10**9, session=boxed, owner=alice)
    prompts.submit(prompt_id=uuid.uuid4(), session=boxed, author=alice, text="Go on.")
    assert not Instance.objects.live().exists()
    assert f"{alice.get_full_name()} can take the budget away" in budgets.refusal(boxed)
    budget_changes.remove(made, user=alice)
    assert Instance.objects.live().exists()


def test_hours_are_counted_with_it_too(boxed: Session) -> None:
    instance = make_instance(boxed)
    budget(36_000, "instance_seconds", session=boxed)
    activity.reap()
    instance.refresh_from_db()
    assert instance.state == InstanceState.READY and budgets.refusal(boxed) == ""
    assert not orders.claim(boxed, Egress()).budgeted
    budget(10**9, session=boxed)
    assert orders.claim(boxed, Egress()).budgeted


def test_a_budget_of_a_key_that_it_works_with_no_more_stops_nothing(boxed: Session, alice: User) -> None:
    instance = make_instance(boxed)
    made = Budget.objects.create(limit=1, measure="tokens", period="day", key=make_key(alice))
    budget_levels.tell(budget_id=made.pk)
    instance.refresh_from_db()
    assert instance.state == InstanceState.READY
