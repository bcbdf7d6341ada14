"""A host that is drained: what runs there falls asleep when its turn is over, and nothing starts there."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from openagent.accounts.models import User
from sessions_app.drivers.base import DriverError
from sessions_app.models import Host, Instance, InstanceState, PoolMember, Prompt, PromptState
from sessions_app.services import hosts, instances, lifecycle, prompts, reconciler, state
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import make_prompt
from tests.sessions_app.services.conftest import get_ready
from tests.sessions_app.services.test_places import fresh, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(driver: FakeDriver) -> Host:
    reconciler.reconcile()
    return Host.objects.get(driver="fake")


def test_what_rests_stops_what_works_ends_its_turn_and_nothing_starts(alice: User, host: Host) -> None:
    resting, working = get_ready(start(alice)), get_ready(start(alice))
    turn = make_prompt(working.session, state=PromptState.RUNNING, instance=working)
    queued = make_prompt(working.session)
    starting = start(alice)
    hosts.drain(host=host)
    late = start(alice)
    reconciler.reconcile()
    states = [fresh(one).state for one in (resting, working, starting, late)]
    assert states == ["stopping", "ready", "stopping", "requested"]
    assert "administrator empties the host" in state.describe_one(late.session_id)["status_detail"]

    Prompt.objects.filter(pk=turn.pk).update(state=PromptState.DONE)
    assert not prompts.dispatch(session_id=working.session_id), "The next one would hold it up."
    reconciler.reconcile()
    assert fresh(working).state == "stopping"
    lifecycle.retire(instance_id=working.pk)
    following = Instance.objects.live().get(session=working.session_id)
    for _ in range(10):
        reconciler.reconcile()
    assert [fresh(one).state for one in (following, late)] == ["requested", "requested"]

    hosts.take_up(host=host)
    reconciler.reconcile()
    assert [fresh(one).state for one in (following, late)] == ["starting", "starting"]
    get_ready(following)
    assert Prompt.objects.get(pk=queued.pk).instance == following


def test_its_pool_is_emptied(
    host: Host, driver: FakeDriver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OPENAGENT_POOL = {"opencode": 1}
    monkeypatch.setattr("sessions_app.services.agents.Agent.is_installed", True)
    monkeypatch.setattr(driver, "isolation", lambda: {"image": "one"})
    reconciler.reconcile()
    assert PoolMember.objects.count() == 1
    hosts.drain(host=host)
    reconciler.reconcile()
    assert not PoolMember.objects.exists() and not driver.instances


def test_the_host_of_another_driver_is_none_of_ours(alice: User, driver: FakeDriver) -> None:
    other = Host.objects.create(driver="other")
    hosts.drain(host=other)
    assert start(alice).state == InstanceState.STARTING


def test_an_engine_that_does_not_answer_makes_readiness_degraded(driver: FakeDriver, client: Client) -> None:
    driver.fail_next("isolation")
    with pytest.raises(DriverError) as caught:
        instances.note_isolation()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["instances"] == caught.value.code
    instances.note_isolation()
    assert client.get("/readyz").json()["status"] == "ok"
