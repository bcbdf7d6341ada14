"""A look at one instance out of turn, because its link is gone."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from sessions_app.models import Instance, Session
from sessions_app.services import instances, reconciler
from tests.fakes.driver import FakeDriver
from tests.sessions_app.services.test_reconciler import get_ready, launch, state_of, wake


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
