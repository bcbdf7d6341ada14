"""Background work by name, handed to Celery: nudges that may be lost, for the reconciler finds the same.

Whoever serves sockets does not wait for that: a Redis that is there and says nothing would hold up everything
that is to be stored. There a thread hands it over, and what is too much is dropped.
"""

from __future__ import annotations

import contextvars
import functools
import queue
import threading
import uuid

import kombu.exceptions

from openagent.celery import app
from openagent.lib import log

_log = log.get(__name__)

MAX_WAITING = 1000
LOOK_SECONDS = 1.0
"""Calls that come closer together than this are counted together."""

RECONCILE = "sessions_app.tasks.reconcile"
LEARN_REGISTRIES = "sessions_app.tasks.learn_registries"

_must_not_wait = threading.Event()
_waiting: queue.Queue[tuple[contextvars.Context, str, dict[str, str], float]] = queue.Queue(MAX_WAITING)


def never_wait() -> None:
    """From now on nobody in this process waits until work is handed over."""
    _must_not_wait.set()


def launch_instance(instance_id: uuid.UUID) -> None:
    """Have a requested instance made."""
    _enqueue("sessions_app.tasks.launch_instance", instance_id=str(instance_id))


def retire_instance(instance_id: uuid.UUID) -> None:
    """Have an ended or stopping instance removed."""
    _enqueue("sessions_app.tasks.retire_instance", instance_id=str(instance_id))


def check_instance(instance_id: uuid.UUID) -> None:
    """Have an instance looked at whose link is gone."""
    _enqueue("sessions_app.tasks.check_instance", instance_id=str(instance_id))


def read_logs(instance_id: uuid.UUID) -> None:
    """Have the logs of an instance read."""
    _enqueue("sessions_app.tasks.read_logs", instance_id=str(instance_id))


def measure_disk(session_id: uuid.UUID) -> None:
    """Have the disk of a session measured that has just gone to sleep."""
    _enqueue("sessions_app.tasks.measure_disk", session_id=str(session_id))


def tend_pool() -> None:
    """Have the pool filled again."""
    _enqueue("sessions_app.tasks.tend_pool")


def tell_of_budget(budget_id: uuid.UUID) -> None:
    """Have the sessions told that a budget binds how far it is used up."""
    _enqueue("sessions_app.tasks.tell_of_budget", budget_id=str(budget_id))


def look_at_budgets(session_id: uuid.UUID) -> None:
    """Have the budgets looked at that bind a session of which a call was counted."""
    _enqueue("sessions_app.tasks.look_at_budgets", after=LOOK_SECONDS, session_id=str(session_id))


def reconcile() -> None:
    """Have the engine and the rows brought together."""
    _enqueue(RECONCILE)


def learn_registries() -> None:
    """Have the registries of this host read."""
    _enqueue(LEARN_REGISTRIES)


def fold_turn(session_id: uuid.UUID, turn: uuid.UUID) -> None:
    """Have a finished turn's deltas folded into whole parts."""
    _enqueue("sessions_app.tasks.fold_turn", session_id=str(session_id), turn=str(turn))


def _enqueue(name: str, *, after: float = 0.0, **arguments: str) -> None:
    if not _must_not_wait.is_set():
        _send(name, arguments, after)
        return
    try:
        _waiting.put_nowait((contextvars.copy_context(), name, arguments, after))
    except queue.Full:
        _log.warning("too much background work waits, the reconciler will find it", task=name)
    _courier()


@functools.cache
def _courier() -> threading.Thread:
    """The thread that hands over; nobody waits for it, at the end of the process neither."""
    thread = threading.Thread(target=_deliver, name="courier", daemon=True)
    thread.start()
    return thread


def _deliver() -> None:
    while True:
        context, name, arguments, after = _waiting.get()
        try:
            context.run(_send, name, arguments, after)
        except Exception:
            _log.exception("background work not handed over, the reconciler will find it", task=name)


def _send(name: str, arguments: dict[str, str], after: float) -> None:
    try:
        app.send_task(name, kwargs=arguments, retry=False, countdown=after or None)
    except kombu.exceptions.OperationalError:
        _log.warning("background work not handed over, the reconciler will find it", task=name)
