"""Budgets of hours, and quotas of sessions that live at once."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from openagent.accounts.models import User
from sessions_app.models import Budget, Instance, InstanceState, Session
from sessions_app.services import activity, budgets, instances, places
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import make_instance, make_prompt, make_session
from tests.sessions_app.services.test_budgets import budget


def test_hours_are_counted_and_stop_what_lives(driver: FakeDriver, session: Session) -> None:
    made = budget(3600, "instance_seconds", session=session, period="total")
    now = timezone.now()
    instance = make_instance(session, launched_at=now - timedelta(minutes=50), ready_at=now)
    activity.reap()
    assert "0.8 hours of 1.0 hours" in budgets.of_session(session)[0].message
    Instance.objects.update(launched_at=now - timedelta(minutes=61))
    activity.reap()
    instance.refresh_from_db()
    assert (instance.state, instance.stop_reason) == (InstanceState.STOPPING, "budget")
    Instance.objects.update(state=InstanceState.STOPPED, ended_at=now, removed_at=now)
    Session.objects.update(generation=2)
    assert instances.wake(session_id=session.pk) is None
    make_prompt(session)
    Budget.objects.filter(pk=made.pk).update(limit=36_000)
    assert instances.wake(session_id=session.pk) is not None


def test_a_quota_of_live_sessions_lets_no_more_in(session: Session, alice: User) -> None:
    budget(1, "live_sessions", user=alice)
    first = make_instance(session, launched_at=timezone.now())
    second = make_instance(make_session(alice), InstanceState.REQUESTED)
    assert places.is_full_for(first) == ""
    assert places.is_full_for(second) == "user"
    Budget.objects.update(limit=2)
    assert places.is_full_for(second) == ""
