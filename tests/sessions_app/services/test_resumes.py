"""Turns that a provider refused for a while: they go on by themselves at its time, where that is wanted."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from sessions_app.models import Instance, Prompt, Session
from sessions_app.services import (
    activity,
    instances,
    lifecycle,
    prompts,
    reconciler,
    resumes,
    sessions,
    state,
)
from tests.fakes.driver import FakeDriver
from tests.sessions_app.services.conftest import Sidecar


@pytest.fixture(autouse=True)
def _driver(driver: FakeDriver) -> None:
    pass


@pytest.fixture
def wanting(session: Session) -> Session:
    return sessions.change(session=session, auto_resume=True)


def submit(session: Session, text: str = "work") -> Prompt:
    return prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text=text)[0]


def fail(sidecar: Sidecar, turn: Prompt, *, error_class: str = "provider_rate_limit", at: str = "") -> None:
    """The agent takes the prompt, and its provider refuses."""
    sidecar.say("turn.started", turn.pk, prompt=turn.text)
    error = {"class": error_class, "message": "busy", "retry_at": at}
    sidecar.say("turn.ended", turn.pk, stop_reason="error", error=error)


def after(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def make_due(session: Session) -> None:
    session.prompts.exclude(due_at=None).update(due_at=timezone.now() - timedelta(seconds=1))


def states(session: Session) -> list[tuple[str, str]]:
    return [(row.text, row.state) for row in session.prompts.order_by("number")]


def test_it_goes_on_at_the_time_and_not_before(wanting: Session, sidecar: Sidecar) -> None:
    instances.launch(instance_id=sidecar.instance.pk)
    sidecar.get_ready()
    fail(sidecar, submit(wanting), at=after(20))
    assert states(wanting) == [("work", "failed"), (resumes.TEXT, "queued")]
    assert state.status(wanting.pk) == "ready"
    reconciler.reconcile()
    assert states(wanting)[-1] == (resumes.TEXT, "queued")
    make_due(wanting)
    reconciler.reconcile()
    assert states(wanting)[-1] == (resumes.TEXT, "sent")


def test_what_goes_on_is_shown_before_what_it_is_sent_before(wanting: Session, sidecar: Sidecar) -> None:
    instances.launch(instance_id=sidecar.instance.pk)
    sidecar.get_ready()
    turn = submit(wanting)
    submit(wanting, "after it")
    fail(sidecar, turn, at=after(20))
    shown = state.snapshot(wanting.pk)["prompts"]
    assert [(prompt["text"], prompt["position"]) for prompt in shown] == [(resumes.TEXT, 1), ("after it", 2)]
    make_due(wanting)
    submit(wanting, "last")
    reconciler.reconcile()
    shown = state.snapshot(wanting.pk)["prompts"]
    assert [(prompt["text"], prompt["position"]) for prompt in shown] == [
        *((resumes.TEXT, None), ("after it", 1), ("last", 2))
    ]


def test_a_person_asks_in_the_same_words() -> None:
    asking = settings.BASE_DIR / "frontend/src/features/conversation/go-on-later.tsx"
    assert f'const TEXT = "{resumes.TEXT}";' in asking.read_text()


def test_one_that_fell_asleep_meanwhile_is_woken(wanting: Session, sidecar: Sidecar) -> None:
    sidecar.get_ready()
    fail(sidecar, submit(wanting), at=after(20))
    instances.stop(session_id=wanting.pk, reason="idle")
    lifecycle.retire(instance_id=sidecar.instance.pk)
    reconciler.reconcile()
    assert not Instance.objects.live().exists(), "what is not due wakes nobody"
    make_due(wanting)
    reconciler.reconcile()
    assert Instance.objects.live().get().generation == 2


def test_waiting_for_it_does_not_keep_a_session_awake(wanting: Session, sidecar: Sidecar) -> None:
    sidecar.get_ready()
    fail(sidecar, submit(wanting), at=after(60))
    for _ in range(200):
        activity.reap()
    sidecar.instance.refresh_from_db()
    assert sidecar.instance.state == "stopping"


def test_what_waits_behind_it_waits_as_long_and_comes_after(wanting: Session, sidecar: Sidecar) -> None:
    sidecar.get_ready()
    failing, next_one = submit(wanting), submit(wanting, "and then this")
    fail(sidecar, failing, at=after(20))
    assert [row.text for row in wanting.prompts.queued()] == [resumes.TEXT, next_one.text]
    make_due(wanting)
    prompts.dispatch(session_id=wanting.pk)
    assert states(wanting)[1:] == [(next_one.text, "queued"), (resumes.TEXT, "sent")]


def test_a_prompt_of_the_user_goes_first(wanting: Session, sidecar: Sidecar) -> None:
    sidecar.get_ready()
    fail(sidecar, submit(wanting), at=after(20))
    submit(wanting, "try this")
    assert states(wanting)[1:] == [(resumes.TEXT, "queued"), ("try this", "sent")]


def test_it_is_called_off_like_any_prompt_or_sent_at_once(wanting: Session, sidecar: Sidecar) -> None:
    sidecar.get_ready()
    fail(sidecar, submit(wanting), at=after(20))
    prompts.withdraw(session=wanting, prompt_id=wanting.prompts.queued().get().pk)
    assert not wanting.prompts.queued().exists()
    fail(sidecar, submit(wanting), at=after(20))
    made = prompts.change(session=wanting, prompt_id=wanting.prompts.queued().get().pk, due_at=None)
    assert (made.state, made.due_at) == ("sent", None)


@pytest.mark.parametrize(
    ("error_class", "has_time", "is_wanted"),
    [
        ("provider_rate_limit", False, True),
        ("provider_auth", True, True),
        ("provider_rate_limit", True, False),
    ],
)
def test_otherwise_nothing_happens(
    wanting: Session, sidecar: Sidecar, error_class: str, has_time: bool, is_wanted: bool
) -> None:
    sessions.change(session=wanting, auto_resume=is_wanted)
    sidecar.get_ready()
    fail(sidecar, submit(wanting), error_class=error_class, at=after(5) if has_time else "")
    assert states(wanting) == [("work", "failed")]


@pytest.mark.parametrize("at", ["soon", -5, "2026-01-01T00:00:00", 60 * 24 * 400])
def test_odd_times_are_kept_within_reason(wanting: Session, sidecar: Sidecar, at: str | int) -> None:
    """Minutes from now, or just a text."""
    sidecar.get_ready()
    begin = timezone.now()
    fail(sidecar, submit(wanting), at=at if isinstance(at, str) else after(at))
    due_at = wanting.prompts.queued().get().due_at
    assert due_at is not None
    assert begin + resumes.SOONEST <= due_at <= timezone.now() + prompts.MAX_WAIT


def test_it_ends_when_it_is_in_vain(wanting: Session, sidecar: Sidecar) -> None:
    sidecar.get_ready()
    fail(sidecar, submit(wanting), at=after(1))
    for number in range(1, resumes.MOST_IN_A_ROW + 1):
        going_on = wanting.prompts.queued().get()
        assert going_on.resumes == number
        make_due(wanting)
        prompts.dispatch(session_id=wanting.pk)
        fail(sidecar, going_on, at=after(1))
    assert not wanting.prompts.queued().exists()
    fail(sidecar, submit(wanting, "once more"), at=after(1))
    assert wanting.prompts.queued().get().resumes == 1
