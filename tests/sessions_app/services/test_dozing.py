"""Whose agent rests while the session stays awake, and whose does not; and clocks that jump meanwhile."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from openagent.accounts.models import User
from sessions_app.models import Instance, Permission, Session
from sessions_app.services import activity, prompts
from sessions_app.services import state as states
from sidecar.protocol import frames
from tests.sessions_app.conftest import make_instance, make_permission, make_session
from tests.sessions_app.services.conftest import Sidecar

RESTS = "The agent rests; the next prompt starts it."


@pytest.fixture(autouse=True)
def two_of_four_passes(settings: Settings) -> None:
    settings.OPENAGENT_IDLE_SECONDS = 4 * settings.OPENAGENT_IDLE_PASS_SECONDS
    settings.OPENAGENT_DOZE_SECONDS = 2 * settings.OPENAGENT_IDLE_PASS_SECONDS


@pytest.fixture
def ready(sidecar: Sidecar) -> Sidecar:
    Instance.objects.update(link_version=frames.REST_VERSION)
    sidecar.get_ready()
    return sidecar


def told(sidecar: Sidecar) -> int:
    """How often its agent was told to rest."""
    return sidecar.instance.commands.filter(verb="agent.rest").count()


def after_passes(sidecar: Sidecar, passes: int) -> list[int]:
    """How often it had been told after each of them."""
    counts = []
    for _ in range(passes):
        assert activity.reap() == 0
        counts.append(told(sidecar))
    return counts


def test_the_agent_rests_in_the_middle_and_the_session_sleeps_at_the_end(ready: Sidecar) -> None:
    assert after_passes(ready, 3) == [0, 1, 1]
    assert activity.reap() == 1


def test_people_are_told_and_nothing_else_changes(session: Session, ready: Sidecar) -> None:
    after_passes(ready, 2)
    before = states.describe_one(session.pk)
    ready.say("agent.status", status="stopped")
    found = states.describe_one(session.pk)
    assert (found["status"], found["status_detail"]) == ("ready", RESTS)
    assert found["updated_at"] == before["updated_at"], "Nobody did anything."
    session.refresh_from_db()
    version = session.state_version
    ready.say("agent.status", uuid.uuid4(), status="starting")
    session.refresh_from_db()
    assert session.state_version > version, "Whoever watches is told."
    assert states.describe_one(session.pk)["status_detail"] == ""


def test_what_rests_is_not_told_again_and_what_works_is(session: Session, ready: Sidecar) -> None:
    after_passes(ready, 2)
    ready.say("agent.status", status="stopped")
    activity.touch(session_id=session.pk)
    assert after_passes(ready, 3) == [1, 1, 1]
    ready.say("agent.status", status="ready")
    activity.touch(session_id=session.pk)
    assert after_passes(ready, 3) == [1, 2, 2]


def test_activity_starts_the_count_anew(session: Session, ready: Sidecar) -> None:
    for _ in range(6):
        assert after_passes(ready, 1) == [0]
        activity.touch(session_id=session.pk)


def test_never_if_nobody_wants_it(ready: Sidecar, settings: Settings) -> None:
    settings.OPENAGENT_DOZE_SECONDS = 0
    assert after_passes(ready, 3) == [0, 0, 0]


@pytest.mark.parametrize("version", [0, 2, 3])
def test_an_older_sidecar_is_not_told(ready: Sidecar, version: int) -> None:
    Instance.objects.update(link_version=version)
    assert after_passes(ready, 3) == [0, 0, 0]


def test_a_waiting_prompt_a_running_turn_and_a_question_keep_the_agent(
    session: Session, ready: Sidecar
) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="go")
    assert after_passes(ready, 3) == [0, 0, 0]
    ready.say("turn.started", prompt.pk, prompt="go")
    assert after_passes(ready, 3) == [0, 0, 0]
    ready.say("permission.asked", prompt.pk, permission_id=str(uuid.uuid4()), type="tool", title="run ls")
    assert after_passes(ready, 3) == [0, 0, 0]
    ready.say("turn.ended", prompt.pk, stop_reason="end_turn")
    assert after_passes(ready, 3) == [0, 1, 1]


def test_who_asks_in_vain_for_very_long_sleeps_and_its_agent_does_not_rest_before(
    session: Session, ready: Sidecar, settings: Settings
) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="go")
    ready.say("turn.started", prompt.pk, prompt="go")
    ready.say("permission.asked", prompt.pk, permission_id=str(uuid.uuid4()), type="tool", title="run ls")
    Permission.objects.update(asked_at=timezone.now() - timedelta(seconds=settings.OPENAGENT_ASKING_SECONDS))
    assert after_passes(ready, 3) == [0, 0, 0]
    assert activity.reap() == 1


@pytest.mark.parametrize("hours", [1, -1], ids=["forwards", "backwards"])
def test_a_clock_that_jumps_an_hour_puts_nobody_to_sleep_who_is_active(
    alice: User,
    session: Session,
    ready: Sidecar,
    monkeypatch: pytest.MonkeyPatch,
    hours: int,
) -> None:
    """And who is idle sleeps after as many passes as always."""
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="go")
    ready.say("turn.started", prompt.pk, prompt="go")
    asking, used, idle = (make_session(alice) for _ in range(3))
    for each in (asking, used, idle):
        make_instance(each, link_version=frames.REST_VERSION)
    make_permission(asking)
    reaped = []

    def passes(count: int) -> None:
        for _ in range(count):
            reaped.append(activity.reap())
            activity.touch(session_id=used.pk)

    passes(3)
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(hours=hours))
    passes(1)
    assert reaped == [0, 0, 0, 1]
    monkeypatch.setattr(timezone, "now", real)
    passes(5)
    assert sum(reaped) == 1
    assert Instance.objects.get(state="stopping").session_id == idle.pk
    assert Instance.objects.get(commands__verb="agent.rest").session_id == idle.pk
