"""Celery tasks: each loads nothing itself, calls one service, and may be lost or run twice."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings

from openagent.lib import log
from sessions_app import jobs
from sessions_app.drivers.base import DriverError
from sessions_app.services import (
    activity,
    budget_levels,
    folding,
    host_logs,
    instances,
    lifecycle,
    pool_tending,
    reconciler,
    registries,
    storage,
)
from sessions_app.services import purge as purge_service

_log = log.get(__name__)

_reconciling = threading.Lock()
_folding = threading.Lock()
_learning = threading.Lock()
_measuring = threading.Lock()


def _unless_under_way(lock: threading.Lock, run: Callable[[], object]) -> None:
    """One pass at a time.

    Passes that wait for slow engines, or fold very long turns, would pile up until no thread is left to start
    anything, and they are all alike.
    """
    if not lock.acquire(blocking=False):
        _log.warning("the pass before is still under way")
        return
    try:
        run()
    finally:
        lock.release()


@shared_task
def launch_instance(*, instance_id: str, **_: object) -> None:
    """Make a requested instance."""
    instances.launch(instance_id=uuid.UUID(instance_id))


@shared_task
def retire_instance(*, instance_id: str, **_: object) -> None:
    """Remove an ended instance; what fails now is tried again by the reconciler."""
    try:
        lifecycle.retire(instance_id=uuid.UUID(instance_id))
    except DriverError as error:
        _log.warning("instance not removed yet", instance_id=instance_id, code=error.code)


@shared_task
def read_logs(*, instance_id: str, **_: object) -> None:
    """Read the logs of an instance, for whoever may not ask the engine."""
    host_logs.note(instance_id=uuid.UUID(instance_id))


@shared_task
def tell_of_budget(*, budget_id: str, **_: object) -> None:
    """Tell the sessions that a budget binds how far it is used up."""
    budget_levels.tell(budget_id=uuid.UUID(budget_id))


@shared_task
def look_at_budgets(*, session_id: str, **_: object) -> None:
    """Look at the budgets that bind a session of which a call was counted."""
    with log.context(session=session_id):
        budget_levels.look(session_id=uuid.UUID(session_id))


@shared_task
def fold_turn(*, session_id: str, turn: str, **_: object) -> None:
    """Fold a finished turn's deltas."""
    with log.context(session=session_id, turn=turn):
        folding.fold_turn(session_id=uuid.UUID(session_id), turn=uuid.UUID(turn))


@shared_task
def reconcile(**_: object) -> None:
    """Bring the engine and the rows together."""
    _unless_under_way(_reconciling, reconciler.reconcile)


@worker_ready.connect
def begin_at_once(*, sender: Any, **_: object) -> None:
    """What a worker does now and then it also does as soon as it is there, not when beat says so next."""
    queues = sender.app.amqp.queues.consume_from
    if settings.CELERY_TASK_ROUTES[jobs.RECONCILE]["queue"] in queues:
        instances.forget_makers()
        jobs.reconcile()
    if settings.CELERY_TASK_DEFAULT_QUEUE in queues:
        jobs.learn_registries()


@shared_task
def tend_pool(**_: object) -> None:
    """Fill the pool again, now that one of it was claimed."""
    pool_tending.tend(counts=False)


@shared_task
def learn_registries(**_: object) -> None:
    """Read which registries this host uses."""
    _unless_under_way(_learning, registries.learn)


@shared_task
def learn_registries_when_due(**_: object) -> None:
    """Read them now and then."""
    _unless_under_way(_learning, registries.learn_when_due)


@shared_task
def reap_idle(**_: object) -> None:
    """Put idle sessions to sleep."""
    activity.reap()


@shared_task
def fold(**_: object) -> None:
    """Fold whatever finished turns are not folded yet."""
    _unless_under_way(_folding, folding.fold_pending)


@shared_task
def purge(**_: object) -> None:
    """Remove what was deleted long enough ago."""
    purge_service.purge()


@shared_task
def measure_disks(**_: object) -> None:
    """Measure the disks of whatever was awake."""
    _unless_under_way(_measuring, storage.measure_due)


@shared_task
def measure_disk(*, session_id: str, **_: object) -> None:
    """Measure the disk of a session that fell asleep; one at a time, and the next pass finds the others."""
    try:
        _unless_under_way(_measuring, partial(storage.measure, session_id=uuid.UUID(session_id)))
    except DriverError as error:
        _log.warning("disk not measured yet", session_id=session_id, code=error.code)


@shared_task
def check_instance(*, instance_id: str, **_: object) -> None:
    """Look at an instance whose link is gone; what cannot be removed now is, by the reconciler."""
    try:
        reconciler.check(instance_id=uuid.UUID(instance_id))
    except DriverError as error:
        _log.warning("instance not removed yet", instance_id=instance_id, code=error.code)
