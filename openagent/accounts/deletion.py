"""Deletes users with everything that is theirs.

The apps above subscribe when the process starts, to take first what must be taken in an order.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.db import transaction

from openagent.accounts.models import User

Listener = Callable[[uuid.UUID], None]

_listeners: list[Listener] = []


def subscribe(listener: Listener) -> None:
    """From now on `listener` gets the id of each user before any row goes, in the transaction that deletes;
    twice changes nothing.
    """
    if listener not in _listeners:
        _listeners.append(listener)


@transaction.atomic
def delete(user: User) -> None:
    """The user is gone for good; a listener that fails keeps everything as it is."""
    for listener in _listeners:
        listener(user.pk)
    user.delete()
