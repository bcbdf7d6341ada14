"""Whoever works on an instance is killed before each step of it: within a minute all is as it should be."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from openagent.accounts.models import User
from sessions_app.models import (
    Command,
    Event,
    Instance,
    InstanceState,
    PoolMember,
    PoolState,
    Prompt,
    PromptState,
    Session,
)
from sessions_app.services import instances, lifecycle, links, pool, pool_tending, reconciler
from tests.fakes.doom import killed_at
from tests.fakes.driver import FakeDriver
from tests.sessions_app.services import lives
from tests.sessions_app.services.lives import FILE, Life
from tests.sessions_app.services.test_links import hello

pytestmark = pytest.mark.django_db

PASSES = 5
"""Of the reconciler in a minute: at the start of who runs it, and every 15 s."""
Step = Callable[[Life], None]
SHORT = ("provisioner: a launch", "web: a stop", "worker: a removal")
"""What is no variant."""


def cases(names: Iterable[str]) -> list[Any]:
    return [pytest.param(name, marks=() if name in SHORT else pytest.mark.variant) for name in names]


WORKS: dict[str, tuple[Step, Step]] = {
    "web: a prompt that wakes": (lives.to_asleep, Life.prompt),
    "provisioner: a launch": (lives.to_requested, Life.launch),
    "web: it gets ready": (lives.to_starting, lives.ready),
    "web: a prompt that is sent": (lives.to_resting, Life.prompt),
    "provisioner: a death is looked at": (lives.to_dead, lives.check),
    "web: a prompt that wakes again": (lives.to_left, Life.prompt),
    "provisioner: a launch after another": (lives.to_woken, Life.launch),
    "worker: a pass over what is requested": (lives.to_requested, lives.reconcile),
    "worker: a pass over what is dead": (lives.to_dead, lives.reconcile),
    "worker: a pass over what was left": (lives.to_woken, lives.reconcile),
}
ENDS: dict[str, tuple[Step, Step]] = {
    "web: a stop": (lives.to_resting, lives.stop),
    "web: a stop while it starts": (lives.to_starting, lives.stop),
    "web: its sidecar says that it ends": (lives.to_flushed, lives.finish),
    "worker: a removal": (lives.to_flushed, lives.retire),
    "worker: a pass over what ends": (lives.to_flushed, lives.reconcile),
}


@pytest.mark.parametrize("name", cases(WORKS))
def test_whoever_is_killed_a_prompt_is_with_one_instance_and_nothing_is_left_over(
    alice: User, driver: FakeDriver, name: str
) -> None:
    before, work = WORKS[name]
    for life in each(alice, driver, before, work):
        # A client that got no answer asks again.
        life.prompt()
        pass_a_minute(driver)
        check_one(life)
        assert life.driver.volumes[life.session.volume] in ("", FILE)
        if before in (lives.to_resting, lives.to_dead, lives.to_left, lives.to_woken):
            assert life.driver.volumes[life.session.volume] == FILE


@pytest.mark.parametrize("name", cases(ENDS))
def test_whoever_is_killed_a_stopped_session_has_nothing_left_but_its_disk(
    alice: User, driver: FakeDriver, name: str
) -> None:
    before, work = ENDS[name]
    for life in each(alice, driver, before, work):
        lives.stop(life)
        pass_a_minute(driver)
        assert life.newest().state == InstanceState.STOPPED
        assert driver.list() == [] and not Instance.objects.unremoved().exists()
        assert not PoolMember.objects.exists() and life.session.volume in driver.volumes
        check_log(life)


@pytest.fixture
def pooled(settings: Settings, driver: FakeDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OPENAGENT_POOL = {"opencode": 1}
    settings.OPENAGENT_AGENTS_DIR = tmp_path
    (tmp_path / "opencode").mkdir()
    monkeypatch.setattr(driver, "isolation", lambda: {"image": "one"})
    instances.note_isolation()


def to_waiting(life: Life) -> None:
    """A member of the pool is ready."""
    pool_tending.tend()
    greet(life.driver)


CLAIMS: dict[str, tuple[Step, Step]] = {
    "worker: a member is made": (lives.to_asleep, lives.tend),
    "web: a member is claimed": (to_waiting, Life.prompt),
}


@pytest.mark.usefixtures("pooled")
@pytest.mark.parametrize("name", cases(CLAIMS))
def test_whoever_is_killed_over_the_pool_a_prompt_is_with_one_instance(
    alice: User, driver: FakeDriver, name: str
) -> None:
    before, work = CLAIMS[name]
    for life in each(alice, driver, before, work):
        life.prompt()
        pass_a_minute(driver)
        check_one(life)
        assert PoolMember.objects.count() == 1


def each(owner: User, driver: FakeDriver, before: Step, work: Step) -> Iterator[Life]:
    """One life after the other, in which whoever works is killed at its first step, its second, ..."""
    for step in itertools.count():
        with transaction.atomic():
            driver.instances.clear()
            driver.volumes.clear()
            life = Life(Session.objects.create(owner=owner, model="demo"), driver, uuid.uuid4())
            before(life)
            with killed_at(step, driver) as done:
                work(life)
            life.session.refresh_from_db()
            yield life
            transaction.set_rollback(True)
        if len(done) < step:
            break
    assert step > 1, "nothing was done that somebody could be killed over"


def pass_a_minute(driver: FakeDriver) -> None:
    """Those that died run again, and sidecars do their part."""
    for _ in range(PASSES):
        reconciler.reconcile()
        greet(driver)
        for ending in Instance.objects.filter(state=InstanceState.STOPPING):
            if str(ending.pk) in driver.instances:
                driver.end(str(ending.pk), 0)


def greet(driver: FakeDriver) -> None:
    """Whatever was made and nobody has heard of calls, and gets ready."""
    for starting in Instance.objects.filter(state=InstanceState.STARTING, driver_ref__isnull=False):
        if driver.inspect(starting.driver_ref or {}).alive:
            lifecycle.on_ready(instance=starting)
    for member in PoolMember.objects.filter(state=PoolState.STARTING, driver_ref__isnull=False):
        links.accept(hello(member, versions=[1, 2, 3]))  # type: ignore[arg-type]
        pool.on_prepared(instance_id=member.pk)


def check_one(life: Life) -> None:
    """Exactly the instance that is wanted, which has the prompt, once; the engine has what the rows say."""
    (live,) = Instance.objects.live().filter(session=life.session)
    assert live.state == InstanceState.READY
    assert not Instance.objects.unremoved().exists()
    # One whose making was broken off is a row without anything, for a while.
    members = PoolMember.objects.exclude(state=PoolState.FAILED)
    wanted = {str(pk) for pk in (live.pk, *members.values_list("pk", flat=True))}
    assert {ref["instance_id"] for ref in life.driver.list()} == wanted
    (prompt,) = Prompt.objects.filter(session=life.session)
    assert (prompt.state, prompt.instance) == (PromptState.SENT, live)
    orders = Command.objects.filter(instance=live, verb="turn.start")
    assert [order.data["turn"] for order in orders] == [str(prompt.pk)]
    check_log(life)


def check_log(life: Life) -> None:
    """Without a gap, and every end is told once."""
    life.session.refresh_from_db()
    events = list(Event.objects.filter(session=life.session).order_by("seq").values_list("seq", "kind"))
    assert [seq for seq, _ in events] == list(range(1, life.session.last_seq + 1))
    ends = [kind for _, kind in events if kind in ("instance.lost", "instance.stopped")]
    assert len(ends) <= life.session.instances.exclude(state__in=["ready"]).count()
