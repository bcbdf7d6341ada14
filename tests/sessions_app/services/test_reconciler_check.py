"""A look at one instance out of turn, because its link is gone."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from sessions_app.models import Event, Instance, Session
from sessions_app.services import instances, reconciler
from tests.fakes.driver import FakeDriver
from tests.sessions_app.services.conftest import get_ready
from tests.sessions_app.services.test_reconciler import launch, state_of, wake


@pytest.fixture(autouse=True)
def fake(driver: FakeDriver) -> FakeDriver:
    return driver


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda session: None, "lost"),
        (lambda session: instances.stop(session_id=session.pk, reason="user"), "stopped"),
    ],
)
def test_a_death_is_noticed_out_of_turn(
    driver: FakeDriver, session: Session, act: Callable[[Session], None], expected: str
) -> None:
    made = get_ready(launch(session))
    act(session)
    reconciler.check(instance_id=made.pk)
    assert Instance.objects.get(pk=made.pk).is_live
    driver.end(str(made.pk))
    reconciler.check(instance_id=made.pk)
    assert state_of(made) == expected


@pytest.mark.parametrize("was_made_after", [False, True])
def test_one_that_ended_with_the_platform_is_not_called_lost(
    driver: FakeDriver, session: Session, settings: Settings, tmp_path: Path, was_made_after: bool
) -> None:
    """The platform was asked to stop, and it took too long for the instance to say anything."""
    stopped = settings.OPENAGENT_STOPPED_FILE = tmp_path / "stopped"
    stopped.touch()
    made = get_ready(launch(session))
    if not was_made_after:
        # A file system's clock may be some milliseconds behind, so a plain touch may still be before it.
        now = time.time()
        os.utime(stopped, (now, now))
    driver.end(str(made.pk))
    reconciler.check(instance_id=made.pk)
    made.refresh_from_db()
    assert (made.state, made.stop_reason) == (("lost", "") if was_made_after else ("stopped", "shutdown"))
    if not was_made_after:
        assert Event.objects.get(kind="instance.stopped").data["reason"] == "shutdown"


def test_looking_out_of_turn_at_one_that_is_not_made_yet_or_has_ended_does_nothing(
    session: Session,
) -> None:
    made = wake(session)
    reconciler.check(instance_id=made.pk)
    assert state_of(made) == "requested"
    instances.fail(instance_id=made.pk, code="x", message="y")
    reconciler.check(instance_id=made.pk)
    reconciler.check(instance_id=uuid.uuid4())
    assert state_of(made) == "failed"


def orphan(session: Session) -> Instance:
    """Its launcher died between making it and saying so; it got ready all the same."""
    made = get_ready(launch(session))
    Instance.objects.filter(pk=made.pk).update(driver_ref=None)
    return made


@pytest.mark.parametrize("in_turn", [True, False])
def test_the_death_of_one_whose_launcher_died_is_noticed(
    driver: FakeDriver, session: Session, in_turn: bool
) -> None:
    made = orphan(session)

    def look() -> None:
        reconciler.reconcile() if in_turn else reconciler.check(instance_id=made.pk)

    look()
    assert state_of(made) == "ready"
    assert Instance.objects.get(pk=made.pk).driver_ref is not None
    Instance.objects.filter(pk=made.pk).update(driver_ref=None)
    driver.end(str(made.pk))
    look()
    assert state_of(made) == "lost"


def test_one_whose_launcher_died_gets_its_time_to_flush(driver: FakeDriver, session: Session) -> None:
    made = orphan(session)
    instances.stop(session_id=session.pk, reason="user")
    reconciler.reconcile()
    assert state_of(made) == "stopping"
    driver.end(str(made.pk))
    reconciler.reconcile()
    assert state_of(made) == "stopped"
    assert driver.instances == {}


def test_one_whose_launcher_died_and_that_the_engine_does_not_have_is_lost(
    driver: FakeDriver, session: Session
) -> None:
    made = orphan(session)
    driver.instances.clear()
    reconciler.reconcile()
    assert state_of(made) == "lost"
