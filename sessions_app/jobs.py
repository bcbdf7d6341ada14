"""Background work by name, handed to Celery: nudges that may be lost, for the reconciler finds the same."""

from __future__ import annotations

import uuid

import kombu.exceptions

from openagent.celery import app
from openagent.lib import log

_log = log.get(__name__)


def launch_instance(instance_id: uuid.UUID) -> None:
    """Have a requested instance made."""
    _enqueue("sessions_app.tasks.launch_instance", instance_id=str(instance_id))


def retire_instance(instance_id: uuid.UUID) -> None:
    """Have an ended or stopping instance removed."""
    _enqueue("sessions_app.tasks.retire_instance", instance_id=str(instance_id))


def check_instance(instance_id: uuid.UUID) -> None:
    """Have an instance looked at whose link is gone."""
    _enqueue("sessions_app.tasks.check_instance", instance_id=str(instance_id))


def fold_turn(session_id: uuid.UUID, turn: uuid.UUID) -> None:
    """Have a finished turn's deltas folded into whole parts."""
    _enqueue("sessions_app.tasks.fold_turn", session_id=str(session_id), turn=str(turn))


def _enqueue(name: str, **arguments: str) -> None:
    try:
        app.send_task(name, kwargs=arguments, retry=False)
    except kombu.exceptions.OperationalError:
        _log.warning("background work not handed over, the reconciler will find it", task=name)
