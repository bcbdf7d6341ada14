"""What instances have logged, for administrators: who may ask the engine reads it, and others see that."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from django.core.cache import cache

from sessions_app import jobs
from sessions_app.drivers.base import DriverError
from sessions_app.models import Instance
from sessions_app.services import instances

LINES = 200
"""Of each half."""
_MOST_CHARACTERS = 200_000
_KEPT_SECONDS, _ASKED_SECONDS = 300, 20


class Said(NamedTuple):
    """`text` is None while nobody has read it."""

    is_asked: bool
    text: str | None


def ask(*, instance_id: uuid.UUID) -> None:
    """Have the logs read anew."""
    cache.delete(_key(instance_id))
    cache.set(_key(instance_id, "asked"), True, timeout=_ASKED_SECONDS)
    jobs.read_logs(instance_id)


def read(*, instance_id: uuid.UUID) -> Said:
    """What was read last, for some minutes."""
    return Said(bool(cache.get(_key(instance_id, "asked"))), cache.get(_key(instance_id)))


def note(*, instance_id: uuid.UUID) -> None:
    """Reads them; what the engine cannot do is told in their place."""
    instance = Instance.objects.filter(pk=instance_id).first()
    if instance is None:
        return
    try:
        text = instances.logs(instance, LINES) or "There is nothing: it is not there any more, or not yet."
    except DriverError as error:
        text = error.message
    cache.set(_key(instance_id), text[-_MOST_CHARACTERS:], timeout=_KEPT_SECONDS)


def _key(instance_id: uuid.UUID, what: str = "text") -> str:
    return f"instances.logs.{what}.{instance_id}"
