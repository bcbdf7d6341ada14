"""Deleted sessions: restorable for a grace, then gone with disk and log, but for what they used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db.models import Q
from django.utils import timezone

from openagent.lib.errors import NotFound
from sessions_app.models import (
    Event,
    Instance,
    InstanceState,
    Permission,
    Prompt,
    Session,
    Terminal,
    UsageEvent,
)
from sessions_app.services import instance_time, instances, lifecycle, purge, reconciler, sessions
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import (
    make_events,
    make_instance,
    make_permission,
    make_prompt,
    make_terminal,
)

DAY = timedelta(days=1)


@pytest.fixture
def used(driver: FakeDriver, session: Session) -> Session:
    """A session whose instance runs, with one of everything."""
    made = instances.wake(session_id=session.pk)
    assert made is not None
    instances.launch(instance_id=made.pk)
    lifecycle.on_ready(instance=made)
    make_prompt(session)
    make_permission(session)
    make_terminal(session, command=["deploy"])
    make_events(session, [{"kind": "plan", "data": {"entries": []}}])
    UsageEvent.objects.create(
        session=session, owner=session.owner, request_id="r", model="m", input=1, output=1
    )
    return session


@pytest.fixture
def a_day_later() -> Iterator[None]:
    with time_machine.travel(timezone.now() + DAY + timedelta(minutes=1)):
        yield


def delete(session: Session) -> None:
    sessions.delete(session=session)
    for _ in range(reconciler.STOP_PASSES + 1):
        reconciler.reconcile()


def test_within_the_grace_nothing_is_removed(driver: FakeDriver, used: Session) -> None:
    delete(used)
    assert purge.purge() == 0
    assert driver.instances == {}
    assert list(driver.volumes) == [used.volume]
    sessions.restore(session=used)
    assert Session.objects.present().filter(pk=used.pk).exists()
    assert Event.objects.filter(session=used).exists()


def test_after_it_the_disk_and_the_log_are_gone_and_the_bill_stays(driver: FakeDriver, used: Session) -> None:
    delete(used)
    with time_machine.travel(timezone.now() + DAY + timedelta(minutes=1)):
        assert purge.purge() == 1
        assert purge.purge() == 0
    assert driver.volumes == {}
    assert driver.calls.count("remove_volume") == 1
    for model in (Event, Prompt, Permission, Terminal, Instance):
        assert not model._default_manager.filter(session=used).exists()
    assert UsageEvent.objects.filter(session=used).count() == 1
    used.refresh_from_db()
    assert (used.title, used.purged_at is not None) == ("", True)
    with pytest.raises(NotFound):
        sessions.restore(session=used)


def test_how_long_its_instances_lived_stays_too(driver: FakeDriver, used: Session, a_day_later: None) -> None:
    delete(used)
    # Long before now by any clock: the database has one of its own.
    begun = timezone.now() - 3 * DAY
    Instance.objects.update(launched_at=begun, ended_at=begun + timedelta(hours=1))
    Session.objects.update(deleted_at=timezone.now() - 2 * DAY)
    lived = instance_time.seconds(of=Q(owner=used.owner))
    assert lived == 3600
    assert purge.purge() == 1
    assert not Instance.objects.exists()
    assert instance_time.seconds(of=Q(owner=used.owner)) == lived


def test_a_session_that_nobody_deleted_stays(driver: FakeDriver, used: Session, a_day_later: None) -> None:
    assert purge.purge() == 0
    assert list(driver.volumes) == [used.volume]


def test_the_disk_of_an_instance_that_is_still_there_is_not_removed(
    driver: FakeDriver, used: Session
) -> None:
    sessions.delete(session=used)
    with time_machine.travel(timezone.now() + DAY + timedelta(minutes=1)):
        assert purge.purge() == 0
        for _ in range(reconciler.STOP_PASSES + 1):
            reconciler.reconcile()
        assert purge.purge() == 1


def test_a_disk_that_cannot_be_removed_now_is_removed_by_the_next_pass(
    driver: FakeDriver, used: Session
) -> None:
    delete(used)
    driver.fail_next("remove_volume")
    with time_machine.travel(timezone.now() + DAY + timedelta(minutes=1)):
        assert purge.purge() == 0
        with pytest.raises(NotFound):
            sessions.restore(session=used)
        assert Event.objects.filter(session=used).exists()
        assert purge.purge() == 1


def test_what_another_driver_made_is_left_to_it(driver: FakeDriver, session: Session) -> None:
    make_instance(session, InstanceState.STOPPED, driver="another", removed_at=timezone.now())
    sessions.delete(session=session)
    with time_machine.travel(timezone.now() + DAY + timedelta(minutes=1)):
        assert purge.purge() == 0
    assert "remove_volume" not in driver.calls
