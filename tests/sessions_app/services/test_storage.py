"""What disks take is measured when it may have changed, and counted by day until nobody can restore them."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db.models import Q
from pytest_django import Settings

from openagent.accounts.models import User
from sessions_app.models import InstanceState, Session, StorageDay
from sessions_app.services import instances, lifecycle, purge, reconciler, sessions, storage
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import make_session

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """The sessions whose disk somebody was asked to measure."""
    asked: list[uuid.UUID] = []
    monkeypatch.setattr("sessions_app.jobs.measure_disk", asked.append)
    return asked


def wake(session: Session, driver: FakeDriver, size: int | None = None) -> None:
    made = instances.wake(session_id=session.pk)
    assert made is not None
    instances.launch(instance_id=made.pk)
    made.refresh_from_db()
    lifecycle.on_ready(instance=made)
    if size is not None:
        driver.sizes[session.volume] = size


def sleep(session: Session) -> None:
    instances.stop(session_id=session.pk, reason="user")
    for instance in session.instances.filter(state=InstanceState.STOPPING):
        lifecycle.retire(instance_id=instance.pk)


def due() -> set[uuid.UUID]:
    return set(storage.due().values_list("pk", flat=True))


def use(session: Session, day: date, most: int, last: int | None = None) -> None:
    """A day on which it was measured."""
    StorageDay.objects.create(
        session=session, owner=session.owner, day=day, most=most, last=most if last is None else last
    )


def counted(session: Session, since: datetime | None, until: datetime) -> int:
    return storage.byte_days(of=Q(session=session), since=since, until=until)


def test_a_disk_is_measured_while_its_session_is_awake_and_once_more_when_it_sleeps(
    session: Session, driver: FakeDriver, measured: list[uuid.UUID]
) -> None:
    assert due() == set(), "It has none yet."
    wake(session, driver, 100)
    for _ in range(2):
        assert due() == {session.pk}
        storage.measure_due()
    session.refresh_from_db()
    assert (session.disk_bytes, session.disk_limit_bytes) == (100, None)
    assert session.disk_measured_at is not None
    assert measured == []
    sleep(session)
    assert (due(), measured) == ({session.pk}, [session.pk])
    driver.sizes[session.volume], driver.limit = 200, 1000
    storage.measure(session_id=session.pk)
    session.refresh_from_db()
    assert (session.disk_bytes, session.disk_limit_bytes) == (200, 1000)
    assert due() == set(), "Nothing can change it now."
    wake(session, driver)
    assert due() == {session.pk}


def passes(driver: FakeDriver, number: int) -> list[int]:
    """In which of these passes somebody looked at the one disk that there is."""
    looked = []
    for each in range(number):
        before = driver.calls.count("volume_bytes")
        storage.measure_due()
        looked += [each] * (driver.calls.count("volume_bytes") - before)
    return looked


def test_what_cannot_be_told_leaves_what_was_told_and_is_tried_again_ever_later(
    session: Session, driver: FakeDriver
) -> None:
    wake(session, driver, 100)
    storage.measure_due()
    sleep(session)
    driver.sizes[session.volume] = None
    assert passes(driver, 16) == [0, 2, 6, 14]
    session.refresh_from_db()
    assert session.disk_bytes == 100
    driver.sizes[session.volume] = 200
    assert passes(driver, 16) == [14]
    session.refresh_from_db()
    assert (session.disk_bytes, session.disk_misses, due()) == (200, 0, set())


def test_what_can_never_be_told_is_tried_each_day(session: Session, driver: FakeDriver) -> None:
    wake(session, driver)
    driver.sizes[session.volume] = None
    Session.objects.update(disk_misses=30_000)
    storage.measure_due()
    session.refresh_from_db()
    assert (session.disk_rests, session.disk_misses) == (256, 256)


def test_an_instance_that_ended_may_write_until_it_is_removed(session: Session, driver: FakeDriver) -> None:
    wake(session, driver, 100)
    instance = session.instances.get()
    lifecycle.lose(instance_id=instance.pk, reason="silent", message="It says nothing.")
    storage.measure_due()
    assert due() == {session.pk}
    driver.sizes[session.volume] = 200
    lifecycle.retire(instance_id=instance.pk)
    storage.measure_due()
    session.refresh_from_db()
    assert (session.disk_bytes, due()) == (200, set())


def test_an_engine_that_is_away_is_asked_again(session: Session, driver: FakeDriver) -> None:
    wake(session, driver, 100)
    sleep(session)
    driver.fail_next("volume_bytes")
    storage.measure_due()
    assert due() == {session.pk}
    storage.measure_due()
    session.refresh_from_db()
    assert (session.disk_bytes, due()) == (100, set())


def test_one_disk_that_fails_costs_the_others_nothing(
    session: Session, alice: User, driver: FakeDriver
) -> None:
    other = make_session(alice)
    for each in (session, other):
        wake(each, driver, 100)
    driver.fail_next("volume_bytes")
    storage.measure_due()
    assert sorted(Session.objects.values_list("disk_bytes", flat=True), key=str) == [100, None]


def test_a_pass_ends_in_time(
    session: Session, alice: User, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (session, make_session(alice)):
        wake(each, driver, 100)
    monkeypatch.setattr(storage, "_PASS_SECONDS", -1.0)
    storage.measure_due()
    assert "volume_bytes" not in driver.calls


def test_nothing_is_measured_while_the_platform_stops(
    session: Session, driver: FakeDriver, settings: Settings, tmp_path: Path
) -> None:
    wake(session, driver, 100)
    settings.OPENAGENT_STOPPING_FILE = tmp_path / "stopping"
    settings.OPENAGENT_STOPPING_FILE.touch()
    storage.measure_due()
    assert "volume_bytes" not in driver.calls


def test_whoever_watches_is_told_of_a_change_only(session: Session, driver: FakeDriver) -> None:
    wake(session, driver, 100)
    versions = []
    for size in (100, 100, 101):
        driver.sizes[session.volume] = size
        storage.measure_due()
        session.refresh_from_db()
        versions.append(session.state_version)
    assert versions == [versions[0], versions[0], versions[0] + 1]


def test_a_day_keeps_its_most_and_its_last(session: Session, driver: FakeDriver) -> None:
    with time_machine.travel(MONDAY, tick=False):
        wake(session, driver)
        for size in (100, 300, 200):
            driver.sizes[session.volume] = size
            storage.measure_due()
    row = StorageDay.objects.get()
    assert (row.day, row.most, row.last, row.owner) == (MONDAY.date(), 300, 200, session.owner)


def test_days_without_a_measuring_count_with_what_was_measured_last(session: Session) -> None:
    monday = MONDAY.date()
    use(session, monday, 300, 200)
    use(session, monday + 4 * DAY, 50)
    week = MONDAY + 7 * DAY
    # 300 on Monday, three days of 200, three of 50, of which the last begins before the end.
    assert counted(session, MONDAY - DAY, week) == 300 + 3 * 200 + 4 * 50
    assert counted(session, None, week.replace(hour=0)) == 300 + 3 * 200 + 3 * 50
    assert counted(session, MONDAY + DAY, MONDAY + 2 * DAY) == 2 * 200
    assert counted(session, week, week + 2 * DAY) == 3 * 50
    assert counted(session, None, MONDAY - DAY) == 0
    assert storage.by_day(of=Q(session=session), since=MONDAY - DAY, until=MONDAY + 4 * DAY) == {
        monday: 300,
        monday + DAY: 200,
        monday + 2 * DAY: 200,
        monday + 3 * DAY: 200,
        monday + 4 * DAY: 50,
    }


def test_a_day_that_has_not_begun_does_not_count(session: Session) -> None:
    use(session, MONDAY.date(), 100)
    with time_machine.travel(MONDAY + DAY, tick=False):
        assert counted(session, None, MONDAY + 30 * DAY) == 2 * 100


def test_disks_are_counted_for_each_of_their_owners(session: Session, alice: User, bob: User) -> None:
    other, bobs = make_session(alice), make_session(bob)
    for each, size in ((session, 1), (other, 2), (bobs, 4)):
        use(each, MONDAY.date(), size)
    span = {"since": MONDAY - DAY, "until": MONDAY + DAY}
    assert storage.by_owner(of=Q(), **span) == {alice.pk: 6, bob.pk: 8}
    assert storage.by_session(of=Q(owner=alice), **span) == {session.pk: 2, other.pk: 4}
    assert storage.by_day(of=Q(), **span) == {MONDAY.date(): 7, (MONDAY + DAY).date(): 7}
    assert storage.byte_days(of=Q(owner=bob), **span) == 8


def test_a_deleted_session_counts_until_it_cannot_be_restored(session: Session, driver: FakeDriver) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        wake(session, driver, 100)
        storage.measure_due()
        sessions.delete(session=session)
        for _ in range(reconciler.STOP_PASSES + 1):
            reconciler.reconcile()
        assert storage.taken_now(of=Q()) == 100, "It can be restored."
        clock.shift(2 * DAY)
        driver.fail_next("remove_volume")
        assert purge.purge() == 0, "Its disk is there, for want of the engine, and not its owner's."
        assert (storage.taken_now(of=Q()), due()) == (None, set())
        storage.measure(session_id=session.pk)
        assert purge.purge() == 1
        clock.shift(30 * DAY)
        assert counted(session, None, MONDAY + 30 * DAY) == 3 * 100
        assert StorageDay.objects.latest("day").last == 0
