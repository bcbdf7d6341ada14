"""Instances that change between our look and our update."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from sessions_app.drivers.base import DriverError
from sessions_app.models import Instance, InstanceState, Session
from sessions_app.services import instances, lifecycle, reconciler, stages
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import make_instance


@contextmanager
def just_before_update(act: Callable[[], object]) -> Iterator[None]:
    """Somebody else acts right before our first update of an instance."""
    todo = [act]

    def wrapper(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if todo and sql.startswith(f'UPDATE "{Instance._meta.db_table}"'):
            todo.pop()()
        return execute(sql, *rest)

    with connection.execute_wrapper(wrapper):
        yield
    assert not todo


def get_ready(instance: Instance) -> None:
    row = Instance.objects.filter(pk=instance.pk)
    row.update(state=InstanceState.READY, ready_at=timezone.now())


def test_a_stop_also_finds_an_instance_that_gets_ready_at_the_same_moment(
    session: Session, instance: Instance
) -> None:
    with just_before_update(lambda: get_ready(instance)):
        instances.stop(session_id=session.pk, reason="user")
    instance.refresh_from_db()
    assert instance.state == "stopping"
    assert instance.commands.filter(verb="instance.stop").count() == 1


def test_an_instance_that_gets_ready_at_the_last_moment_has_not_failed(
    session: Session, instance: Instance
) -> None:
    with just_before_update(lambda: get_ready(instance)):
        instances.fail(instance_id=instance.pk, code="start_timeout", message="too slow")
    instance.refresh_from_db()
    session.refresh_from_db()
    assert (instance.state, session.generation, session.is_paused) == ("ready", 1, False)


def test_a_session_whose_disk_has_vanished_is_not_given_an_empty_one(
    driver: FakeDriver, session: Session, instance: Instance
) -> None:
    instances.launch(instance_id=instance.pk)
    get_ready(instance)
    driver.end(str(instance.pk))
    lifecycle.lose(instance_id=instance.pk, reason="ended", message="It ended.")
    driver.volumes.clear()
    again = instances.wake(session_id=session.pk)
    assert again is not None
    instances.launch(instance_id=again.pk)
    again.refresh_from_db()
    assert (again.state, again.error_code) == (InstanceState.FAILED, "volume_gone")
    driver.volumes[session.volume] = "restored"
    third = instances.wake(session_id=session.pk)
    assert third is not None
    instances.launch(instance_id=third.pk)
    third.refresh_from_db()
    assert third.state == InstanceState.STARTING


def test_stages_of_two_who_tell_at_the_same_moment_are_both_kept(instance: Instance) -> None:
    with just_before_update(lambda: stages.add(instance.pk, "sidecar")):
        stages.add(instance.pk, "created")
    instance.refresh_from_db()
    assert [stage["name"] for stage in instance.stages] == ["requested", "sidecar", "created"]


def test_nothing_is_launched_while_the_platform_stops(
    instance: Instance, settings: Settings, tmp_path: Path
) -> None:
    settings.OPENAGENT_DRIVER = "none that could be asked"
    settings.OPENAGENT_STOPPING_FILE = tmp_path / "stopping"
    settings.OPENAGENT_STOPPING_FILE.touch()
    instances.launch(instance_id=instance.pk)
    instance.refresh_from_db()
    assert (instance.state, instance.launched_at) == ("requested", None)


@pytest.mark.django_db
def test_whoever_finds_an_earlier_instance_in_the_way_leaves_who_makes_this_one_to_it(
    driver: FakeDriver, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two look at the same moment; the engine refuses the slower one what it does no more for the quicker."""
    earlier = make_instance(session, state=InstanceState.STOPPED, driver_ref={"instance_id": "earlier"})
    made = Instance.objects.create(session=session, generation=2, driver="fake")

    def quicker(instance: Instance) -> None:
        assert instance == earlier
        Instance.objects.filter(pk=earlier.pk).update(removed_at=timezone.now())
        Instance.objects.filter(pk=made.pk).update(state=InstanceState.STARTING, launched_at=timezone.now())
        raise DriverError("The engine removes it already.", code="engine_refused", permanent=False)

    monkeypatch.setattr(instances, "remove", quicker)
    instances.launch(instance_id=made.pk)
    made.refresh_from_db()
    assert made.launched_at is not None, "or a third one would make it at the same time"


def test_what_a_dead_maker_was_making_is_made_as_soon_as_there_is_another(
    session: Session, driver: FakeDriver
) -> None:
    """Otherwise it is believed after a minute only."""
    made = instances.wake(session_id=session.pk)
    assert made is not None
    Instance.objects.filter(pk=made.pk).update(state=InstanceState.STARTING, launched_at=timezone.now())
    reconciler.reconcile()
    assert not driver.instances, "It may be under way."
    instances.forget_makers()
    reconciler.reconcile()
    assert list(driver.instances) == [str(made.pk)]
