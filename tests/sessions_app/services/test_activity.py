"""Who is put to sleep, and who is not."""

from __future__ import annotations

import uuid

import pytest
from pytest_django import Settings

from sessions_app.models import Instance, Prompt, Session
from sessions_app.services import activity, prompts
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
