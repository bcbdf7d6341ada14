"""As many instances are live as may be: who comes later waits, is called, and loses nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from openagent.accounts.models import User
from sessions_app.models import Instance, Session
from sessions_app.services import instances, lifecycle, places, reconciler, state
from sessions_app.services.reconciler import START_PASSES
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import make_prompt, make_session
from tests.sessions_app.services.conftest import get_ready

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fake(driver: FakeDriver) -> FakeDriver:
    return driver


def start(owner: User) -> Instance:
    """Asked for, and made if there is a place."""
    made = instances.wake(session_id=make_session(owner).pk)
    assert made is not None
    instances.launch(instance_id=made.pk)
    made.refresh_from_db()
    return made


def fresh(instance: Instance) -> Instance:
    return Instance.objects.get(pk=instance.pk)


def test_beyond_the_limit_of_a_user_another_one_waits_and_says_so(
    alice: User, bob: User, driver: FakeDriver, settings: Settings
) -> None:
    settings.OPENAGENT_LIVE_SESSIONS_PER_USER = 2
    made = [start(alice), start(alice)]
    third = start(alice)
    assert [one.state for one in (*made, third)] == ["starting", "starting", "requested"]
    shown = state.describe_one(third.session_id)
    assert shown["status"] == "queued"
    assert "as soon as there is a place" in shown["status_detail"]
    assert str(third.pk) not in driver.instances
    assert start(bob).state == "starting", "Others have places of their own."


def test_beyond_the_limit_of_all_everybody_waits(alice: User, bob: User, settings: Settings) -> None:
    settings.OPENAGENT_LIVE_SESSIONS = 1
    assert start(alice).state == "starting"
    assert places.is_waiting(start(bob))


def test_who_waits_does_not_fail_however_long_it_takes(alice: User, settings: Settings) -> None:
    settings.OPENAGENT_LIVE_SESSIONS = 1
    get_ready(start(alice))
    waiting = start(alice)
    for _ in range(START_PASSES + 2):
        reconciler.reconcile()
    assert fresh(waiting).state == "requested"


def test_a_place_that_gets_free_goes_to_who_has_waited_longest(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OPENAGENT_LIVE_SESSIONS = 1
    first = get_ready(start(alice))
    waiting = [start(alice), start(alice)]
    called: list[object] = []
    monkeypatch.setattr("sessions_app.jobs.launch_instance", called.append)
    instances.stop(session_id=first.session_id, reason="user")
    lifecycle.retire(instance_id=first.pk)
    assert called[:2] == [one.pk for one in waiting]
    for pk in called:
        instances.launch(instance_id=pk)  # type: ignore[arg-type]
    assert [fresh(one).state for one in waiting] == ["starting", "requested"]


def test_two_that_take_the_last_place_at_the_same_moment_do_not_both_get_it(
    alice: User, bob: User, driver: FakeDriver, settings: Settings
) -> None:
    settings.OPENAGENT_LIVE_SESSIONS = 1
    mine = instances.wake(session_id=make_session(alice).pk)
    assert mine is not None
    others: list[Instance] = []

    def wrapper(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if not others and sql.startswith(f'UPDATE "{Instance._meta.db_table}"') and "launched_at" in sql:
            others.append(mine)
            others[0] = start(bob)
        return execute(sql, *rest)

    with connection.execute_wrapper(wrapper):
        instances.launch(instance_id=mine.pk)
    assert list(driver.instances) == [str(others[0].pk)]
    assert places.is_waiting(fresh(mine))
    instances.stop(session_id=others[0].session_id, reason="user")
    lifecycle.retire(instance_id=others[0].pk)
    reconciler.reconcile()
    assert fresh(mine).state == "starting"


def test_the_one_that_is_idle_longest_makes_room(alice: User, bob: User, settings: Settings) -> None:
    settings.OPENAGENT_LIVE_SESSIONS_PER_USER = 2
    settings.OPENAGENT_IDLE_SECONDS = 9 * settings.OPENAGENT_IDLE_PASS_SECONDS
    of_bob, busy, idle = (get_ready(start(owner)) for owner in (bob, alice, alice))
    make_prompt(busy.session)
    waiting = start(alice)
    reconciler.reconcile()
    assert fresh(idle).state == "ready", "It may be that somebody only reads."
    Session.objects.filter(pk__in=[busy.session_id, idle.session_id]).update(idle_passes=3)
    Session.objects.filter(pk=of_bob.session_id).update(idle_passes=8)
    reconciler.reconcile()
    assert [fresh(one).state for one in (of_bob, busy, idle)] == ["ready", "ready", "stopping"]
    lifecycle.retire(instance_id=idle.pk)
    reconciler.reconcile()
    assert fresh(waiting).state == "starting"


def test_who_waits_for_a_place_of_their_own_takes_none_of_all(
    alice: User, bob: User, settings: Settings
) -> None:
    settings.OPENAGENT_LIVE_SESSIONS = 3
    settings.OPENAGENT_LIVE_SESSIONS_PER_USER = 2
    settings.OPENAGENT_IDLE_SECONDS = 9 * settings.OPENAGENT_IDLE_PASS_SECONDS
    of_alice = get_ready(start(alice))
    of_bob = [get_ready(start(bob)) for _ in range(2)]
    make_prompt(of_bob[0].session)
    start(bob)
    start(alice)
    Session.objects.filter(pk__in=[of_alice.session_id, of_bob[1].session_id]).update(idle_passes=4)
    instances.stop(session_id=of_bob[0].session_id, reason="user")
    for _ in range(2):
        reconciler.reconcile()
    assert [fresh(one).state for one in (of_alice, of_bob[1])] == ["ready", "ready"]


def test_only_as_many_make_room_as_wait(alice: User, settings: Settings) -> None:
    settings.OPENAGENT_LIVE_SESSIONS_PER_USER = 2
    settings.OPENAGENT_IDLE_SECONDS = 9 * settings.OPENAGENT_IDLE_PASS_SECONDS
    longest, other = (get_ready(start(alice)) for _ in range(2))
    start(alice)
    for one, passes in ((longest, 5), (other, 4)):
        Session.objects.filter(pk=one.session_id).update(idle_passes=passes)
    for _ in range(2):
        reconciler.reconcile()
        assert [fresh(one).state for one in (longest, other)] == ["stopping", "ready"]
    start(alice)
    reconciler.reconcile()
    assert fresh(other).state == "stopping"


def test_those_of_one_who_may_have_no_more_keep_nobody_from_a_place(
    alice: User, bob: User, charlie: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OPENAGENT_LIVE_SESSIONS = 2
    settings.OPENAGENT_LIVE_SESSIONS_PER_USER = 1
    mine = start(alice)
    of_bob = start(bob)
    waiting = [start(alice).pk for _ in range(5)]
    charlies = start(charlie)
    assert places.next_in_line() == [charlies.pk]
    tried: list[object] = []
    launch = instances.launch

    def count(*, instance_id: uuid.UUID, again: bool = False) -> None:
        tried.append(instance_id)
        launch(instance_id=instance_id, again=again)

    monkeypatch.setattr(instances, "launch", count)
    reconciler.reconcile()
    assert len(set(tried) & set(waiting)) == 1
    assert [fresh(one).state for one in (mine, of_bob, charlies)] == ["starting", "starting", "requested"]


def test_who_lost_a_place_to_a_failing_engine_waits_for_another(
    alice: User, driver: FakeDriver, settings: Settings
) -> None:
    settings.OPENAGENT_LIVE_SESSIONS = 1
    driver.fail_next("create")
    unlucky, other = start(alice), start(alice)
    assert [unlucky.state, other.state] == ["starting", "starting"]
    get_ready(other)
    for _ in range(START_PASSES + 2):
        reconciler.reconcile()
    assert fresh(unlucky).state == "requested"
    lifecycle.lose(instance_id=other.pk, reason="ended", message="It is over.")
    lifecycle.retire(instance_id=other.pk)
    reconciler.reconcile()
    assert fresh(unlucky).state == "starting" and list(driver.instances) == [str(unlucky.pk)]


def test_only_so_many_start_at_once_and_the_next_is_called_when_one_is_ready(
    alice: User, bob: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OPENAGENT_CONCURRENT_STARTS = 2
    called: list[object] = []
    monkeypatch.setattr("sessions_app.jobs.launch_instance", called.append)
    first, second = start(alice), start(alice)
    assert [first.state, second.state] == ["starting", "requested"], "One owner leaves a turn to others."
    of_bob, waiting = start(bob), start(bob)
    assert [of_bob.state, waiting.state] == ["starting", "requested"]
    assert "Others start first" in state.describe_one(waiting.session_id)["status_detail"]
    reconciler.reconcile()
    assert [fresh(one).state for one in (second, waiting)] == ["requested", "requested"]
    called.clear()
    get_ready(first)
    assert called == [second.pk], "Whose owner starts one already is not called for nothing."
    for one in (waiting, second):
        instances.launch(instance_id=one.pk)
    assert [fresh(one).state for one in (second, waiting)] == ["starting", "requested"]


def test_a_start_that_does_not_get_ready_holds_up_others_for_a_minute_at_most(
    alice: User, settings: Settings
) -> None:
    settings.OPENAGENT_CONCURRENT_STARTS = 1
    start(alice)
    waiting = start(alice)
    for _ in range(places.HELD_PASSES - 1):
        reconciler.reconcile()
        assert fresh(waiting).state == "requested"
    for _ in range(2):
        reconciler.reconcile()
    assert fresh(waiting).state == "starting"


def test_of_those_that_take_the_last_turn_at_the_same_moment_one_keeps_it(
    alice: User, bob: User, driver: FakeDriver, settings: Settings
) -> None:
    settings.OPENAGENT_CONCURRENT_STARTS = 1
    mine = instances.wake(session_id=make_session(alice).pk)
    assert mine is not None
    others: list[Instance] = []

    def wrapper(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if not others and sql.startswith(f'UPDATE "{Instance._meta.db_table}"') and "launched_at" in sql:
            others.append(mine)
            others[0] = start(bob)
            Instance.objects.filter(pk=others[0].pk).update(
                launched_at=others[0].requested_at - timedelta(hours=1)
            )
        return execute(sql, *rest)

    with connection.execute_wrapper(wrapper):
        instances.launch(instance_id=mine.pk)
    assert list(driver.instances) == [str(others[0].pk)]
    assert places.is_waiting(fresh(mine))


@pytest.mark.variant
@pytest.mark.timeout(600)
def test_a_thousand_that_are_asked_for_at_once_wait_in_line_until_each_had_its_turn(
    alice: User, bob: User, driver: FakeDriver, settings: Settings
) -> None:
    settings.OPENAGENT_LIVE_SESSIONS, settings.OPENAGENT_LIVE_SESSIONS_PER_USER = 50, 40
    settings.OPENAGENT_CONCURRENT_STARTS = 8
    driver.fail_next("create")  # an engine that hiccups once costs nobody their turn
    asked = [start(owner).pk for owner in (alice, bob) * 500]
    served: list[uuid.UUID] = []
    while len(served) < len(asked):
        reconciler.reconcile()
        live = Instance.objects.filter(pk__in=[uuid.UUID(name) for name in driver.instances])
        assert 0 < live.count() <= 50
        for instance in live:
            served.append(instance.pk)
            get_ready(instance)
            lifecycle.lose(instance_id=instance.pk, reason="ended", message="Its turn is over.")
            lifecycle.retire(instance_id=instance.pk)
    assert sorted(served) == sorted(asked)
    assert not driver.instances and not Instance.objects.live().exists()
