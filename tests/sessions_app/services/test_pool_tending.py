"""How the pool is kept filled: members that die, fail, are too much or not wanted any more."""

from __future__ import annotations

import uuid

import pytest
from pytest_django import Settings

from keys_app import services as keys
from openagent.accounts.models import User
from openagent.lib.redact import Secret
from sessions_app.drivers.base import InstanceSpec, Ref
from sessions_app.models import EgressBounds, PoolMember, PoolState, Session
from sessions_app.services import links, pool, pool_tending, purge, reconciler, sessions
from tests.fakes.driver import FakeDriver
from tests.sessions_app.services.test_pool import get_ready, member, set_isolation, size, wake

__all__ = ["member", "size"]
pytestmark = pytest.mark.django_db


def test_it_is_filled_again_when_one_was_claimed(member: PoolMember, session: Session) -> None:
    wake(session)
    pool_tending.tend()
    assert get_ready().pk != member.pk


def test_it_has_as_many_as_it_should(settings: Settings, driver: FakeDriver) -> None:
    settings.OPENAGENT_POOL = {"opencode": 3}
    for _ in range(5):
        pool_tending.tend()
    assert PoolMember.objects.count() == 3 == len(driver.instances)
    settings.OPENAGENT_POOL = {"opencode": 1}
    pool_tending.tend()
    assert PoolMember.objects.count() == 1 == len(driver.instances) == len(driver.volumes)
    settings.OPENAGENT_POOL = {}
    pool_tending.tend()
    assert not PoolMember.objects.exists() and not driver.instances and not driver.volumes


@pytest.mark.parametrize("what", ["image", "key"])
def test_what_was_made_for_something_else_is_replaced(
    member: PoolMember, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch, alice: User, what: str
) -> None:
    if what == "image":
        set_isolation(driver, monkeypatch, image="second")
    else:
        keys.create(owner_id=alice.pk, provider="openai", value=Secret("sk-" + "a1B2c3D4" * 6))
    pool_tending.tend()
    (replacement,) = PoolMember.objects.all()
    assert replacement.pk != member.pk and list(driver.instances) == [str(replacement.pk)]
    offered = {offer["provider"]["id"] for offer in replacement.made_for["offers"]}
    assert offered == ({"demo", "openai"} if what == "key" else {"demo"})


def test_nothing_in_it_is_anybodys_secret(alice: User) -> None:
    value = "sk-" + "a1B2c3D4" * 6
    keys.create(owner_id=alice.pk, provider="openai", value=Secret(value))
    pool_tending.tend()
    member = PoolMember.objects.get()
    assert value not in repr(member.made_for) and str(alice.pk) not in repr(member.made_for)


def test_a_dead_one_is_replaced(member: PoolMember, driver: FakeDriver) -> None:
    driver.end(str(member.pk))
    pool_tending.tend()
    assert PoolMember.objects.get().pk != member.pk and str(member.pk) not in driver.volumes


def test_one_that_is_not_connected_for_long_is_replaced(member: PoolMember) -> None:
    for _ in range(pool_tending.LINKLESS_PASSES):
        links.count_absences(connected=[])
    pool_tending.tend()
    assert PoolMember.objects.get().pk == member.pk
    links.count_absences(connected=[])
    pool_tending.tend()
    assert PoolMember.objects.get().pk != member.pk


def test_what_does_not_start_is_tried_again_only_after_a_while(driver: FakeDriver) -> None:
    driver.fail_next("create", permanent=True)
    pool_tending.tend()
    failed = PoolMember.objects.get()
    assert failed.state == PoolState.FAILED and failed.error_message == "The engine fails: engine_away."
    for _ in range(pool_tending.PAUSE_PASSES - 1):
        pool_tending.tend()
    assert PoolMember.objects.get().pk == failed.pk and driver.calls.count("create") == 1
    for _ in range(2):
        pool_tending.tend()
    assert get_ready().pk != failed.pk


def test_an_engine_that_was_away_or_restarted_is_asked_again_at_once(driver: FakeDriver) -> None:
    driver.fail_next("create")
    for _ in range(3):
        pool_tending.tend()
    made = PoolMember.objects.get()
    assert made.state == PoolState.STARTING
    driver.end(str(made.pk), None, "Its host or the engine was restarted.")
    for _ in range(2):
        pool_tending.tend()
    assert PoolMember.objects.get().pk != made.pk and list(driver.instances) == [
        str(PoolMember.objects.get().pk)
    ]


def test_what_is_done_out_of_turn_is_no_pass(settings: Settings, driver: FakeDriver) -> None:
    settings.OPENAGENT_POOL = {"opencode": 20}
    for _ in range(20):
        pool_tending.tend(counts=False)
    assert {member.state for member in PoolMember.objects.all()} == {PoolState.STARTING}
    assert len(driver.instances) == 20


def test_other_limits_are_for_other_members(member: PoolMember, settings: Settings) -> None:
    settings.OPENAGENT_BOX_MEMORY_MB += 1
    pool_tending.tend()
    assert PoolMember.objects.get().pk != member.pk


def test_other_registries_are_for_other_members(member: PoolMember) -> None:
    index = {"tool": "pip", "host": "index.lan", "port": 443, "is_trusted": True, "is_default": True}
    index["address"] = "https://index.lan/simple"
    EgressBounds.objects.update_or_create(pk=1, defaults={"registries": [index]})
    pool_tending.tend()
    replacement = get_ready()
    assert replacement.pk != member.pk
    pool_tending.tend()
    assert PoolMember.objects.get().pk == replacement.pk


def test_nobody_claims_one_while_the_platform_stops(
    member: PoolMember, session: Session, settings: Settings
) -> None:
    settings.OPENAGENT_STOPPING_FILE.touch()
    assert wake(session).pk != member.pk


def test_one_that_is_back_can_be_claimed_again(member: PoolMember, session: Session) -> None:
    pool.lost_link(instance_id=member.pk)
    links.count_absences(connected=[member.pk])
    assert wake(session).pk == member.pk


def test_one_that_is_dismissed_while_it_is_made_leaves_nothing(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = driver.create

    def create_too_late(spec: InstanceSpec) -> Ref:
        for made in pool_tending.members():
            pool_tending.dismiss(made)
        return create(spec)

    monkeypatch.setattr(driver, "create", create_too_late)
    pool_tending.tend()
    assert not driver.instances and not driver.volumes and not PoolMember.objects.exists()


def test_one_that_never_gets_ready_has_failed(driver: FakeDriver) -> None:
    pool_tending.tend()
    for _ in range(pool_tending.START_PASSES + 1):
        pool_tending.tend()
    failed = PoolMember.objects.get()
    assert failed.state == PoolState.FAILED and not driver.instances


@pytest.mark.parametrize("was_made", [True, False])
def test_a_making_that_was_broken_off_is_found_or_given_up(driver: FakeDriver, was_made: bool) -> None:
    pool_tending.tend()
    made = PoolMember.objects.get()
    PoolMember.objects.update(driver_ref=None)
    if not was_made:
        driver.instances.clear()
    for _ in range(pool_tending.CREATE_PASSES + 1):
        pool_tending.tend()
    left = PoolMember.objects.get()
    assert (left.pk, left.state) == (made.pk, PoolState.STARTING if was_made else PoolState.FAILED)
    assert (left.driver_ref is not None) == was_made


def test_an_engine_that_does_not_answer_costs_nobody_their_place(
    member: PoolMember, driver: FakeDriver
) -> None:
    driver.fail_next("inspect")
    pool_tending.tend()
    assert PoolMember.objects.get().state == PoolState.READY


def test_the_reconciler_tends_it_and_takes_no_member_for_a_stranger(driver: FakeDriver) -> None:
    reconciler.reconcile()
    made = get_ready()
    reconciler.reconcile()
    assert list(driver.instances) == [str(made.pk)] and PoolMember.objects.get().pk == made.pk


def test_nothing_is_made_while_the_platform_stops(settings: Settings, driver: FakeDriver) -> None:
    settings.OPENAGENT_STOPPING_FILE.touch()
    pool_tending.tend()
    assert not driver.instances


def test_whoever_stops_the_platform_dismisses_them_and_leaves_what_was_claimed(
    member: PoolMember, session: Session, driver: FakeDriver, settings: Settings
) -> None:
    settings.OPENAGENT_POOL = {"opencode": 2}
    pool_tending.tend()
    listed = list(pool_tending.members())
    claimed = wake(session)
    for each in listed:
        pool_tending.dismiss(each)
    assert not PoolMember.objects.exists()
    assert list(driver.instances) == [str(claimed.pk)] == list(driver.volumes)


def test_a_purged_session_takes_the_disk_that_it_adopted_with_it(
    member: PoolMember, session: Session, driver: FakeDriver, settings: Settings
) -> None:
    settings.OPENAGENT_DELETE_GRACE_SECONDS = 0
    instance = wake(session)
    sessions.delete(session=session)
    driver.end(str(instance.pk))
    reconciler.check(instance_id=instance.pk)
    reconciler.reconcile()
    assert purge.purge() == 1
    assert str(member.pk) not in driver.volumes


def test_an_unknown_instance_is_no_member() -> None:
    assert pool.welcome(instance_id=uuid.uuid4(), public_key="k", version=3) is None
