"""What Prometheus reads of rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from openagent.accounts.models import User
from openagent.lib.metrics import render
from sessions_app import metrics
from sessions_app.models import Command, InstanceState, PermissionState, PoolMember, Prompt, Session
from tests.sessions_app.conftest import make_instance, make_permission, make_prompt, make_session

MINUTE = timedelta(minutes=1)


def age(row: Any, column: str, minutes: int) -> None:
    type(row).objects.filter(pk=row.pk).update(**{column: timezone.now() - minutes * MINUTE})


def test_live_instances_by_state_those_without_any_too(session: Session, alice: User) -> None:
    make_instance(session, InstanceState.LOST)
    make_instance(session, InstanceState.READY)
    make_instance(make_session(alice), InstanceState.READY)
    assert metrics.live_instances() == {("requested",): 0, ("starting",): 0, ("ready",): 2, ("stopping",): 0}


def test_members_of_the_pool_by_state(session: Session) -> None:
    PoolMember.objects.create(agent="opencode", driver="fake", state="ready")
    assert metrics.pool_members() == {("starting",): 0, ("ready",): 1, ("leaving",): 0, ("failed",): 0}


def test_deleted_sessions_do_not_count(session: Session, alice: User) -> None:
    make_session(alice, deleted_at=timezone.now())
    assert metrics.present_sessions() == {(): 1}


def test_what_waits_is_counted_with_the_age_of_the_oldest(session: Session, alice: User) -> None:
    older, _ = make_prompt(session), make_prompt(session)
    age(older, "created_at", 10)
    instance = make_instance(session)
    command = Command.objects.create(instance=instance, number=1, verb="turn.start", data={})
    age(command, "created_at", 3)
    permission = make_permission(session)
    age(permission, "asked_at", 5)
    make_permission(session, state=PermissionState.LOST)
    age(make_instance(make_session(alice), InstanceState.STARTING), "requested_at", 2)
    assert metrics.queue_lengths() == {
        ("prompts",): 2,
        ("instances",): 1,
        ("permissions",): 1,
        ("commands",): 1,
    }
    minutes = {name: round(seconds / 60, 1) for (name,), seconds in metrics.queue_ages().items()}
    assert minutes == {"prompts": 10, "instances": 2, "permissions": 5, "commands": 3}


def test_prompts_of_a_stopped_session_are_not_late(session: Session) -> None:
    make_prompt(session)
    Session.objects.update(is_paused=True)
    assert metrics.queue_lengths()[("prompts",)] == 0
    assert Prompt.objects.count() == 1


def test_nothing_waits_for_no_time_at_all(db: None) -> None:
    assert set(metrics.queue_ages().values()) == {0}


def test_the_page_shows_them(session: Session) -> None:
    make_instance(session)
    page = render().decode()
    assert 'openagent_instances{state="ready"} 1.0' in page
    assert 'openagent_queue_age_seconds{queue="prompts"} 0.0' in page
    assert "openagent_sessions 1.0" in page
