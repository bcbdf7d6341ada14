"""Instances that live, says the driver, and that nobody can reach."""

from __future__ import annotations

import pytest

from sessions_app.models import Event, Instance, InstanceState, PromptState, Session
from sessions_app.services import instances, lifecycle, links, reconciler
from sessions_app.services.reconciler import LINKLESS_PASSES, START_PASSES
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import make_prompt


@pytest.fixture
def alive(driver: FakeDriver, session: Session) -> Instance:
    """Made, ready, and alive as far as the driver can tell."""
    made = instances.wake(session_id=session.pk)
    assert made is not None
    instances.launch(instance_id=made.pk)
    lifecycle.on_ready(instance=made)
    return made


def miss(count: int) -> None:
    """Passes of whoever serves the sockets."""
    for _ in range(count):
        links.count_absences(connected=[])


def states(session: Session) -> list[str]:
    return list(session.instances.order_by("generation").values_list("state", flat=True))


def test_an_instance_that_nobody_can_reach_is_lost_and_followed_by_another(
    driver: FakeDriver, session: Session, alive: Instance
) -> None:
    prompt = make_prompt(session, PromptState.QUEUED)
    miss(LINKLESS_PASSES)
    reconciler.reconcile()
    assert states(session) == ["ready"]
    miss(1)
    reconciler.reconcile()
    assert states(session) == ["lost", "requested"]
    reconciler.reconcile()
    assert list(driver.instances) == [str(session.instances.get(generation=2).pk)]
    alive.refresh_from_db()
    assert alive.error_code == "unreachable"
    assert Event.objects.get(kind="instance.lost").data["message"] == alive.error_message
    prompt.refresh_from_db()
    assert prompt.state in (PromptState.QUEUED, PromptState.SENT)


def test_while_nobody_serves_the_sockets_nobody_is_missed(session: Session, alive: Instance) -> None:
    """A platform whose web process is down for an hour has lost no instance."""
    for _ in range(START_PASSES + 2 * LINKLESS_PASSES):
        reconciler.reconcile()
    assert states(session) == ["ready"]


def test_who_comes_back_in_time_is_not_missed_for_what_was_before(session: Session, alive: Instance) -> None:
    miss(LINKLESS_PASSES)
    Instance.objects.filter(pk=alive.pk).update(linkless_passes=0)
    miss(LINKLESS_PASSES)
    reconciler.reconcile()
    assert states(session) == ["ready"]


def test_an_engine_that_does_not_answer_does_not_hide_that_nobody_can_reach_it(
    driver: FakeDriver, session: Session, alive: Instance
) -> None:
    miss(LINKLESS_PASSES + 1)
    driver.fail_next("inspect")
    reconciler.reconcile()
    assert states(session) == ["lost"]


def test_a_start_whose_link_never_comes_has_failed(driver: FakeDriver, session: Session) -> None:
    made = instances.wake(session_id=session.pk)
    assert made is not None
    for _ in range(START_PASSES + 1):
        reconciler.reconcile()
    made.refresh_from_db()
    assert (made.state, made.error_code) == (InstanceState.FAILED, "start_timeout")
    assert driver.instances == {}
