"""The pool: who can be claimed by whom, and how it is kept filled."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from keys_app import services as keys
from openagent.accounts.models import User
from openagent.lib.redact import Secret
from sessions_app.models import Command, Instance, InstanceState, PoolMember, PoolState, Session
from sessions_app.services import instances, links, places, pool, pool_tending, purge, reconciler, sessions
from tests.fakes.driver import FakeDriver
from tests.sessions_app.services.test_links import hello

pytestmark = pytest.mark.django_db
VERSIONS = [1, 2, 3]


@pytest.fixture(autouse=True)
def size(settings: Settings, driver: FakeDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One member, of an agent that is installed, on an engine that says what it is."""
    settings.OPENAGENT_POOL = {"opencode": 1}
    settings.OPENAGENT_AGENTS_DIR = tmp_path
    settings.OPENAGENT_STOPPING_FILE = tmp_path / "stopping"
    (tmp_path / "opencode").mkdir()
    set_isolation(driver, monkeypatch, image="first")


def set_isolation(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch, **facts: str) -> None:
    monkeypatch.setattr(driver, "isolation", lambda: facts)
    instances.note_isolation()


@pytest.fixture
def member(driver: FakeDriver) -> PoolMember:
    """Made, linked and ready."""
    pool_tending.tend()
    return get_ready()


def get_ready() -> PoolMember:
    made = PoolMember.objects.get(state=PoolState.STARTING)
    assert isinstance(links.accept(hello_of(made)), pool.Unclaimed)
    pool.on_prepared(instance_id=made.pk)
    made.refresh_from_db()
    assert made.state == PoolState.READY
    return made


def hello_of(member: PoolMember, **changes: Any) -> Any:
    return hello(member, **{"versions": VERSIONS, **changes})  # type: ignore[arg-type]


def wake(session: Session) -> Instance:
    made = instances.wake(session_id=session.pk)
    assert made is not None
    session.refresh_from_db()
    return made


def test_a_new_session_claims_what_waits_and_adopts_its_disk(
    member: PoolMember, session: Session, driver: FakeDriver
) -> None:
    instance = wake(session)
    assert instance.pk == member.pk and session.volume == str(member.pk)
    instance.refresh_from_db()
    assert instance.state == InstanceState.STARTING and instance.driver_ref == member.driver_ref
    assert [stage["name"] for stage in instance.stages] == ["requested", *pool.STAGES]
    assert not PoolMember.objects.exists(), "the row is the claim"
    claim = Command.objects.get(instance=instance)
    assert (claim.number, claim.verb, claim.data["session"]) == (1, "session.claim", str(session.pk))
    grant = links.accept(hello_of(member))
    assert isinstance(grant, links.Grant) and grant.session_id == session.pk and not grant.is_first
    instances.launch(instance_id=instance.pk)
    assert driver.calls.count("create") == 1, "it is there already"


def test_another_key_with_the_same_token_still_ends_the_instance(
    member: PoolMember, session: Session
) -> None:
    wake(session)
    with pytest.raises(links.LinkRefused, match="Another sidecar"):
        links.accept(hello_of(member, public_key=base64.b64encode(b"o" * 32).decode()))


@pytest.mark.parametrize(
    "changes", [{"public_key": base64.b64encode(b"o" * 32).decode()}, {"versions": [1, 2]}]
)
def test_a_member_that_shows_another_key_or_is_too_old_leaves(
    member: PoolMember, session: Session, driver: FakeDriver, changes: dict[str, Any]
) -> None:
    with pytest.raises(links.LinkRefused, match="ended"):
        links.accept(hello_of(member, **changes))
    assert wake(session).pk != member.pk
    pool_tending.tend()
    assert str(member.pk) not in driver.instances and str(member.pk) not in driver.volumes


def test_two_sessions_never_get_the_same_one(member: PoolMember, alice: User) -> None:
    first, second = (Session.objects.create(owner=alice, model="demo") for _ in range(2))
    assert wake(first).pk == member.pk
    assert wake(second).pk != member.pk and second.volume == str(second.pk)


def test_a_session_that_has_a_disk_keeps_it(member: PoolMember, session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(generation=2)
    assert wake(session).pk != member.pk and session.volume == str(session.pk)
    assert PoolMember.objects.get().state == PoolState.READY


def test_the_disk_stays_the_sessions_when_it_wakes_again(
    member: PoolMember, session: Session, driver: FakeDriver
) -> None:
    first = wake(session)
    driver.end(str(first.pk))
    reconciler.check(instance_id=first.pk)
    reconciler.reconcile()
    session.refresh_from_db()
    second = wake(session)
    instances.launch(instance_id=second.pk)
    assert driver.instances[str(second.pk)].spec.volume == str(member.pk)
    sessions.delete(session=session)


@pytest.mark.parametrize(
    "fields", [{"agent": "claude"}, {"provider": "openai"}, {"agent": "custom-of-somebody"}]
)
def test_a_session_that_wants_something_else_gets_its_own(
    member: PoolMember, alice: User, fields: dict[str, Any]
) -> None:
    session = Session.objects.create(owner=alice, model="m", **fields)
    assert wake(session).pk != member.pk
    assert PoolMember.objects.get(pk=member.pk).state == PoolState.READY


def test_whoever_has_no_place_claims_none(member: PoolMember, session: Session, settings: Settings) -> None:
    settings.OPENAGENT_LIVE_SESSIONS = 0
    instance = wake(session)
    assert instance.pk != member.pk and places.is_full_for(instance) == "all"


@pytest.mark.parametrize(
    "change",
    [{"linkless_passes": 1}, {"state": PoolState.STARTING}, {"driver_ref": None}, {"driver": "other"}],
)
def test_one_that_cannot_answer_now_is_not_claimed(
    member: PoolMember, session: Session, change: dict[str, Any]
) -> None:
    PoolMember.objects.filter(pk=member.pk).update(**change)
    assert wake(session).pk != member.pk


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
