"""The pool: who can be claimed by whom, and how it is kept filled."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from openagent.accounts.models import User
from sessions_app.models import Command, Instance, InstanceState, PoolMember, PoolState, Session
from sessions_app.services import instances, links, places, pool, pool_tending, reconciler, sessions
from sidecar.protocol import frames
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


@pytest.mark.parametrize("version", [frames.LOGIN_VERSION - 1, frames.LOGIN_VERSION])
def test_one_that_knows_no_logins_is_not_claimed_for_one(
    member: PoolMember, session: Session, version: int
) -> None:
    offers = {"offers": [{"provider": {"id": "claude-plan"}}]}
    PoolMember.objects.update(link_version=version, made_for=offers)
    Session.objects.filter(pk=session.pk).update(provider="claude-plan")
    assert (wake(session).pk == member.pk) == (version >= frames.LOGIN_VERSION)


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


def test_a_session_with_a_repository_gets_its_own(member: PoolMember, session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(repository_url="https://github.com/team/app")
    assert wake(session).pk != member.pk


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
