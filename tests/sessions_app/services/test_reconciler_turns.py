"""What goes wrong with one in a pass of the reconciler costs no other its turn."""

from __future__ import annotations

from typing import Any

import pytest

from openagent.accounts.models import User
from sessions_app.models import Instance, InstanceState, Prompt, Session
from sessions_app.services import instances, lifecycle, reconciler
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import make_instance, make_prompt, make_session


@pytest.fixture(autouse=True)
def fake(driver: FakeDriver) -> FakeDriver:
    return driver


@pytest.fixture
def others(session: Session) -> list[Session]:
    """Two sessions whose prompts wait for nobody."""
    made = [session, make_session(session.owner)]
    for each in made:
        make_prompt(each)
    return made


def is_awake(session: Session) -> bool:
    return Instance.objects.live().filter(session=session).exists()


def test_an_engine_that_does_not_answer_at_all_does_not_stop_the_pass(
    driver: FakeDriver, others: list[Session]
) -> None:
    driver.fail_next("list")
    reconciler.reconcile()
    assert all(map(is_awake, others))


def test_a_session_that_cannot_be_woken_does_not_keep_the_others_asleep(others: list[Session]) -> None:
    Session.objects.filter(pk=others[0].pk).update(provider="a provider that was taken away")
    reconciler.reconcile()
    assert [is_awake(each) for each in others] == [False, True]


def test_a_bug_is_raised_when_everybody_had_their_turn(
    driver: FakeDriver, others: list[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    wake = instances.wake

    def fail_once(**arguments: Any) -> Instance | None:
        monkeypatch.setattr(instances, "wake", wake)
        raise ZeroDivisionError

    monkeypatch.setattr(instances, "wake", fail_once)
    with pytest.raises(ExceptionGroup) as failed:
        reconciler.reconcile()
    assert [type(error) for error in failed.value.exceptions] == [ZeroDivisionError]
    assert sorted(map(is_awake, others)) == [False, True]


def test_a_bug_with_one_instance_is_not_the_end_of_the_others(
    driver: FakeDriver, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the steps: the check, the removal, the waking."""
    broken = make_instance(session, InstanceState.READY, driver_ref={"instance_id": "x"})
    dead = make_instance(make_session(session.owner), InstanceState.READY, driver_ref={"instance_id": "y"})
    left = make_instance(make_session(session.owner), InstanceState.LOST, driver_ref={"instance_id": "z"})
    lose = lifecycle.lose

    def lose_others(**arguments: Any) -> bool:
        if arguments["instance_id"] == broken.pk:
            raise ZeroDivisionError
        return lose(**arguments)

    monkeypatch.setattr(lifecycle, "lose", lose_others)
    with pytest.raises(ExceptionGroup):
        reconciler.reconcile()
    states = {row.pk: (row.state, row.removed_at is not None) for row in Instance.objects.all()}
    assert states == {broken.pk: ("ready", False), dead.pk: ("lost", True), left.pk: ("lost", True)}


def test_two_sessions_do_not_wait_for_each_other(driver: FakeDriver, session: Session) -> None:
    other = make_session(session.owner)
    first, second = (instances.wake(session_id=each.pk) for each in (session, other))
    assert first
    assert second
    driver.fail_next("create")
    reconciler.reconcile()
    assert len(driver.instances) == 1
    reconciler.reconcile()
    assert set(driver.instances) == {str(first.pk), str(second.pk)}


def test_what_runs_for_a_deactivated_user_is_stopped_and_nothing_is_woken(
    driver: FakeDriver, session: Session
) -> None:
    made = make_instance(session, driver_ref={"instance_id": "x"})
    asleep = make_session(session.owner)
    make_prompt(asleep)
    User.objects.filter(pk=session.owner_id).update(is_active=False)
    for _ in range(3):
        reconciler.reconcile()
    made.refresh_from_db()
    assert made.state in (InstanceState.STOPPING, InstanceState.STOPPED)
    assert not asleep.instances.exists()
    assert instances.wake(session_id=asleep.pk) is None
    assert Prompt.objects.get(session=asleep).state == "queued"
