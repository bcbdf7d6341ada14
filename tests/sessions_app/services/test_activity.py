"""Who is put to sleep, and who is not."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from sessions_app.models import Instance, Permission, Prompt, Session
from sessions_app.services import activity, instances, permissions, prompts, shapes
from sessions_app.services import state as states
from tests.sessions_app.services.conftest import Sidecar


@pytest.fixture(autouse=True)
def three_passes(settings: Settings) -> None:
    settings.OPENAGENT_IDLE_SECONDS = 3 * settings.OPENAGENT_IDLE_PASS_SECONDS


def state(sidecar: Sidecar) -> str:
    return str(Instance.objects.get(pk=sidecar.instance.pk).state)


def test_a_session_in_which_nothing_happens_is_stopped_after_the_limit(sidecar: Sidecar) -> None:
    sidecar.get_ready()
    assert [activity.reap(), activity.reap()] == [0, 0]
    assert state(sidecar) == "ready"
    assert activity.reap() == 1
    assert state(sidecar) == "stopping"
    assert sidecar.instance.commands.filter(verb="instance.stop", data={"reason": "idle"}).exists()


def test_activity_starts_the_count_anew(session: Session, sidecar: Sidecar) -> None:
    sidecar.get_ready()
    activity.reap()
    activity.reap()
    activity.touch(session_id=session.pk)
    assert [activity.reap(), activity.reap(), activity.reap()] == [0, 0, 1]


def test_a_running_turn_and_a_waiting_question_hold_it_off(session: Session, sidecar: Sidecar) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="go")
    sidecar.get_ready()
    sidecar.say("turn.started", prompt.pk, prompt="go")
    sidecar.say("permission.asked", prompt.pk, permission_id=str(uuid.uuid4()), type="tool", title="run ls")
    assert [activity.reap() for _ in range(6)] == [0] * 6
    sidecar.say("turn.ended", prompt.pk, stop_reason="end_turn")
    assert [activity.reap() for _ in range(3)] == [0, 0, 1]


def test_who_asks_in_vain_for_very_long_is_put_to_sleep(
    session: Session, sidecar: Sidecar, settings: Settings
) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="go")
    sidecar.get_ready()
    sidecar.say("turn.started", prompt.pk, prompt="go")
    asked = str(uuid.uuid4())
    sidecar.say("permission.asked", prompt.pk, permission_id=asked, type="tool", title="run ls")
    long_ago = timezone.now() - timedelta(seconds=settings.OPENAGENT_ASKING_SECONDS)
    Permission.objects.filter(pk=asked).update(asked_at=long_ago + timedelta(minutes=1))
    assert [activity.reap() for _ in range(4)] == [0] * 4
    Permission.objects.filter(pk=asked).update(asked_at=long_ago)
    assert [activity.reap() for _ in range(3)] == [0, 0, 1]


@pytest.mark.parametrize("happened", ["asked", "answered"])
def test_who_asked_something_else_or_got_an_answer_since_goes_on(
    session: Session, sidecar: Sidecar, settings: Settings, happened: str
) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="go")
    sidecar.get_ready()
    sidecar.say("turn.started", prompt.pk, prompt="go")
    old, other = str(uuid.uuid4()), str(uuid.uuid4())
    for asked in (old, other):
        sidecar.say("permission.asked", prompt.pk, permission_id=asked, type="tool", title="run ls")
    long_ago = timezone.now() - timedelta(seconds=settings.OPENAGENT_ASKING_SECONDS)
    Permission.objects.update(asked_at=long_ago)
    if happened == "asked":
        Permission.objects.filter(pk=other).update(asked_at=timezone.now())
    else:
        permissions.answer(permission=Permission.objects.get(pk=other), user=session.owner, choice="once")
    assert [activity.reap() for _ in range(6)] == [0] * 6


def test_a_prompt_that_lands_beside_the_reaper_is_answered_by_one_generation(
    session: Session, sidecar: Sidecar
) -> None:
    sidecar.get_ready()
    activity.reap()
    activity.reap()
    activity.reap()
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="late")
    sidecar.say("instance.stopped", reason="idle")
    successor = Instance.objects.live().get()
    assert (successor.generation, Prompt.objects.get(pk=prompt.pk).state) == (2, "queued")


def test_people_are_told_when_it_will_sleep_and_that_it_will_not(session: Session, sidecar: Sidecar) -> None:
    sidecar.get_ready()
    activity.reap()
    assert states.describe_one(session.pk)["sleeps_at"] is None
    before, changed = version(session), states.describe_one(session.pk)["updated_at"]
    activity.reap()
    session.refresh_from_db()
    assert session.sleeps_at is not None
    assert states.describe_one(session.pk)["updated_at"] == changed, "Nobody did anything."
    left = (session.sleeps_at - timezone.now()).total_seconds()
    assert 0 < left <= 5 * 60
    assert states.describe_one(session.pk)["sleeps_at"]
    assert version(session) == before + 1
    activity.touch(session_id=session.pk)
    assert states.describe_one(session.pk)["sleeps_at"] is None
    assert version(session) == before + 2
    activity.touch(session_id=session.pk)
    assert version(session) == before + 2, "Whoever types changes nothing that anybody would have to be told."


def test_it_is_told_once(session: Session, sidecar: Sidecar, settings: Settings) -> None:
    settings.OPENAGENT_IDLE_SECONDS = 9 * settings.OPENAGENT_IDLE_PASS_SECONDS
    sidecar.get_ready()
    before = version(session)
    assert [activity.reap() for _ in range(9)] == [0] * 8 + [1]
    assert version(session) == before + 2, "When it comes near, and when it is stopped."
    session.refresh_from_db()
    assert session.sleeps_at is None


def test_a_session_that_is_kept_awake_is_not_stopped_until_the_hour_is_over(
    session: Session, sidecar: Sidecar
) -> None:
    sidecar.get_ready()
    activity.reap()
    activity.reap()
    activity.keep(session=session)
    shown = states.describe_one(session.pk)
    assert shown["sleeps_at"] is None
    assert shown["kept_until"] > shapes.moment(timezone.now() + timedelta(minutes=59))
    assert [activity.reap() for _ in range(6)] == [0] * 6
    Session.objects.filter(pk=session.pk).update(kept_until=timezone.now() - timedelta(seconds=1))
    assert [activity.reap() for _ in range(3)] == [0, 0, 1]


def test_who_lets_it_sleep_again_gives_it_the_whole_time(session: Session, sidecar: Sidecar) -> None:
    sidecar.get_ready()
    activity.keep(session=session)
    activity.reap()
    activity.let_sleep(session=session)
    after = version(session)
    activity.let_sleep(session=session)
    assert version(session) == after
    assert states.describe_one(session.pk)["kept_until"] is None
    assert [activity.reap() for _ in range(3)] == [0, 0, 1]


def test_what_sleeps_cannot_be_kept_awake(session: Session) -> None:
    with pytest.raises(activity.Asleep):
        activity.keep(session=session)
    instances.wake(session_id=session.pk)
    activity.keep(session=session)
    instances.stop(session_id=session.pk, reason="idle")
    with pytest.raises(activity.Asleep):
        activity.keep(session=session)
    assert states.describe_one(session.pk)["kept_until"] is None, "It is about to sleep."


def version(session: Session) -> int:
    return Session.objects.values_list("state_version", flat=True).get(pk=session.pk)
