"""Tasks on a slow engine: nobody waits in a worker's few threads for what another one does already."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import ModuleType, SimpleNamespace

import celery.signals
import pytest
from celery.app.amqp import Queues
from django.db import connections
from pytest_django import Settings

from openagent.accounts.models import User
from openagent.celery import app
from sessions_app import drivers, jobs, tasks
from sessions_app.drivers.base import DriverError, InstanceSpec, OnStage, Ref
from sessions_app.models import Instance, Session
from sessions_app.services import folding, instances, reconciler, state, storage
from tests.fakes.driver import FakeDriver

SECONDS = 60


class SlowDriver(FakeDriver):
    """Makes nothing until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = threading.Event()
        self.may_go_on = threading.Event()
        self.fails = False

    def create(self, spec: InstanceSpec, on_stage: OnStage = lambda _: None) -> Ref:
        self.is_asked.set()
        assert self.may_go_on.wait(SECONDS)
        if self.fails:
            raise DriverError("The engine is away.", code="engine_away", permanent=False)
        return super().create(spec, on_stage)


class Consumer:
    """A worker that takes work from these queues, as Celery tells that it is ready."""

    def __init__(self, queues: tuple[str, ...]) -> None:
        chosen = Queues(create_missing=True)
        chosen.select(queues)
        self.app = SimpleNamespace(amqp=SimpleNamespace(queues=chosen))


def in_thread(act: Callable[[], object]) -> None:
    try:
        act()
    finally:
        connections.close_all()


@pytest.fixture
def engine(transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SlowDriver:
    made = SlowDriver()
    settings.OPENAGENT_DRIVER = "fake"
    monkeypatch.setattr(instances, "get_driver", lambda: made)
    monkeypatch.setattr(drivers, "get_driver", lambda: made)
    return made


@pytest.fixture
def requested(engine: SlowDriver, alice: User) -> Instance:
    made = instances.wake(session_id=Session.objects.create(owner=alice, model="demo").pk)
    assert made is not None
    return made


@pytest.fixture
def launching(engine: SlowDriver, requested: Instance) -> Iterator[Instance]:
    """Somebody makes it at this moment."""
    launch = partial(tasks.launch_instance, instance_id=str(requested.pk))
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(in_thread, launch)
        assert engine.is_asked.wait(SECONDS)
        yield requested
        engine.may_go_on.set()
        done.result(SECONDS)


def test_whoever_watches_sees_that_an_instance_is_being_made(launching: Instance) -> None:
    assert state.snapshot(launching.session_id)["session"]["status"] == "starting"
    assert Session.objects.get().state_version > 2


def test_nobody_else_makes_what_is_being_made(engine: SlowDriver, launching: Instance) -> None:
    engine.is_asked.clear()
    tasks.launch_instance(instance_id=str(launching.pk))
    for _ in range(instances.CREATE_PASSES - 1):
        tasks.reconcile()
    assert not engine.is_asked.is_set()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(in_thread, tasks.reconcile)
        assert engine.is_asked.wait(SECONDS), "whoever makes it may have died: it is made again"
        engine.may_go_on.set()
        done.result(SECONDS)


def test_a_failure_that_passes_gives_the_instance_back(engine: SlowDriver, requested: Instance) -> None:
    engine.may_go_on.set()
    engine.fails = True
    tasks.launch_instance(instance_id=str(requested.pk))
    engine.fails = False
    tasks.reconcile()
    requested.refresh_from_db()
    assert requested.driver_ref is not None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("queues", "sent"),
    [
        (("instances",), [jobs.RECONCILE]),
        (("default", "instances"), [jobs.RECONCILE, jobs.LEARN_REGISTRIES]),
        (("default",), [jobs.LEARN_REGISTRIES]),
    ],
    ids=["provisioner", "one worker", "worker beside a provisioner"],
)
def test_a_worker_begins_with_what_it_does_now_and_then(
    queues: tuple[str, ...], sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    here = threading.get_ident()

    def send_task(name: str, **options: object) -> None:
        # The thread that hands over where sockets are served may still do so for a test before.
        if threading.get_ident() == here:
            asked.append(name)

    # Not through that thread, as after a test before that served sockets.
    monkeypatch.setattr(jobs, "_must_not_wait", threading.Event())
    monkeypatch.setattr(app, "send_task", send_task)
    failed = [
        answer
        for _, answer in celery.signals.worker_ready.send(sender=Consumer(queues))
        if isinstance(answer, Exception)
    ]
    assert (asked, failed) == (sent, [])


@pytest.mark.parametrize(
    ("task", "service", "name"),
    [
        (tasks.reconcile, reconciler, "reconcile"),
        (tasks.fold, folding, "fold_pending"),
        (tasks.measure_disks, storage, "measure_due"),
    ],
    ids=["reconcile", "fold", "measure"],
)
def test_a_pass_does_not_wait_for_the_pass_before(
    task: Callable[[], None], service: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[str] = []

    def run() -> None:
        passes.append("begun")
        # As another thread would, in the middle of this pass.
        task()
        if len(passes) == 1:
            raise DriverError("The engine is away.", code="engine_away", permanent=False)

    monkeypatch.setattr(service, name, run)
    with pytest.raises(DriverError):
        task()
    assert passes == ["begun"]
    task()
    assert passes == ["begun", "begun"]


def test_passes_of_different_kinds_do_not_hold_each_other_up(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[str] = []
    monkeypatch.setattr(folding, "fold_pending", lambda: passes.append("fold"))
    monkeypatch.setattr(reconciler, "reconcile", tasks.fold)
    tasks.reconcile()
    assert passes == ["fold"]


def test_a_disk_is_not_waited_for_while_another_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    measured: list[uuid.UUID] = []

    def measure(*, session_id: uuid.UUID) -> None:
        measured.append(session_id)
        tasks.measure_disk(session_id=str(second))
        raise DriverError("The engine is away.", code="engine_away", permanent=False)

    monkeypatch.setattr(storage, "measure", measure)
    tasks.measure_disk(session_id=str(first))
    assert measured == [first]
