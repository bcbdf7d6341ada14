"""Whoever works on an instance is killed before each step of it: within a minute all is as it should be."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
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
from sessions_app.services import instances, lifecycle, links, pool, pool_tending, prompts, reconciler
from tests.fakes.doom import killed_at
from tests.fakes.driver import FakeDriver
from tests.sessions_app.services.conftest import get_ready
from tests.sessions_app.services.test_links import hello

pytestmark = pytest.mark.django_db

PASSES = 5
"""Of the reconciler in a minute: at the start of who runs it, and every 15 s."""
FILE = "what the user had"


@dataclass
class Life:
    """A session with a prompt under a client's own id, as whoever works on it finds it."""

    session: Session
    driver: FakeDriver
    prompt_id: uuid.UUID

    def prompt(self) -> None:
        """As the client sends it, and again when it got no answer."""
        prompts.submit(
            session=self.session, author=self.session.owner, prompt_id=self.prompt_id, text="Hello"
        )

    def launch(self) -> None:
        instances.launch(instance_id=self.newest().pk)

    def newest(self) -> Instance:
        newest = self.session.instances.order_by("-generation").first()
        assert newest is not None
        return newest

    def end(self, exit_code: int = 0) -> None:
        self.driver.end(str(self.newest().pk), exit_code)


# How it came to that, and what is done then, by somebody who is killed over it.


def to_asleep(life: Life) -> None:
    """Nothing was ever made."""


def to_requested(life: Life) -> None:
    life.prompt()


def to_starting(life: Life) -> None:
    to_requested(life)
    life.launch()


def to_resting(life: Life) -> None:
    """Ready, with a file on its disk and nothing to do."""
    assert instances.wake(session_id=life.session.pk)
    life.launch()
    get_ready(life.newest())
    life.session.refresh_from_db()
    life.driver.volumes[life.session.volume] = FILE


def to_working(life: Life) -> None:
    to_resting(life)
    life.prompt()


def to_dead(life: Life) -> None:
    to_working(life)
    life.end(137)


def to_stopping(life: Life) -> None:
    to_resting(life)
    instances.stop(session_id=life.session.pk, reason="user")


def to_flushed(life: Life) -> None:
    to_stopping(life)
    life.end()


def to_left(life: Life) -> None:
    """Stopped, its objects still there."""
    to_flushed(life)
    lifecycle.finish(instance_id=life.newest().pk, told=True)


def to_woken(life: Life) -> None:
    """And a prompt came."""
    to_left(life)
    life.prompt()


def ready(life: Life) -> None:
    lifecycle.on_ready(instance=life.newest())


def check(life: Life) -> None:
    reconciler.check(instance_id=life.newest().pk)


def stop(life: Life) -> None:
    instances.stop(session_id=life.session.pk, reason="user")


def finish(life: Life) -> None:
    lifecycle.finish(instance_id=life.newest().pk, told=True)


def retire(life: Life) -> None:
    lifecycle.retire(instance_id=life.newest().pk)


def reconcile(life: Life) -> None:
    reconciler.reconcile()


def tend(life: Life) -> None:
    pool_tending.tend()


Step = Callable[[Life], None]
SHORT = ("provisioner: a launch", "web: a stop", "worker: a removal")
"""What is no variant."""


def cases(names: Iterable[str]) -> list[Any]:
    return [pytest.param(name, marks=() if name in SHORT else pytest.mark.variant) for name in names]


WORKS: dict[str, tuple[Step, Step]] = {
    "web: a prompt that wakes": (to_asleep, Life.prompt),
    "provisioner: a launch": (to_requested, Life.launch),
    "web: it gets ready": (to_starting, ready),
    "web: a prompt that is sent": (to_resting, Life.prompt),
    "provisioner: a death is looked at": (to_dead, check),
    "web: a prompt that wakes again": (to_left, Life.prompt),
    "provisioner: a launch after another": (to_woken, Life.launch),
    "worker: a pass over what is requested": (to_requested, reconcile),
    "worker: a pass over what is dead": (to_dead, reconcile),
    "worker: a pass over what was left": (to_woken, reconcile),
}
ENDS: dict[str, tuple[Step, Step]] = {
    "web: a stop": (to_resting, stop),
    "web: a stop while it starts": (to_starting, stop),
    "web: its sidecar says that it ends": (to_flushed, finish),
    "worker: a removal": (to_flushed, retire),
    "worker: a pass over what ends": (to_flushed, reconcile),
}


@pytest.mark.parametrize("name", cases(WORKS))
def test_whoever_is_killed_a_prompt_is_with_one_instance_and_nothing_is_left_over(
    alice: User, driver: FakeDriver, name: str
) -> None:
    before, work = WORKS[name]
    for life in lives(alice, driver, before, work):
        # A client that got no answer asks again.
        life.prompt()
        pass_a_minute(driver)
        check_one(life)
        assert life.driver.volumes[life.session.volume] in ("", FILE)
        if before in (to_resting, to_dead, to_left, to_woken):
            assert life.driver.volumes[life.session.volume] == FILE


@pytest.mark.parametrize("name", cases(ENDS))
def test_whoever_is_killed_a_stopped_session_has_nothing_left_but_its_disk(
    alice: User, driver: FakeDriver, name: str
) -> None:
    before, work = ENDS[name]
    for life in lives(alice, driver, before, work):
        stop(life)
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
    "worker: a member is made": (to_asleep, tend),
    "web: a member is claimed": (to_waiting, Life.prompt),
}


@pytest.mark.usefixtures("pooled")
@pytest.mark.parametrize("name", cases(CLAIMS))
def test_whoever_is_killed_over_the_pool_a_prompt_is_with_one_instance(
    alice: User, driver: FakeDriver, name: str
) -> None:
    before, work = CLAIMS[name]
    for life in lives(alice, driver, before, work):
        life.prompt()
        pass_a_minute(driver)
        check_one(life)
        assert PoolMember.objects.count() == 1


def lives(owner: User, driver: FakeDriver, before: Step, work: Step) -> Iterator[Life]:
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
