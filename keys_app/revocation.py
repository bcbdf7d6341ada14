"""Tells whoever holds a copy of a key that it must be forgotten: a list of functions, called on commit.

The keys app knows nothing of sessions; they subscribe when the process starts.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction


@dataclass(frozen=True)
class Revoked:
    """This key was deleted or replaced."""

    key_id: uuid.UUID
    owner_id: uuid.UUID
    provider: str


Listener = Callable[[Revoked], None]

_listeners: list[Listener] = []


def subscribe(listener: Listener) -> None:
    """From now on `listener` is called after each committed revocation; subscribing twice changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def announce(revoked: Revoked) -> None:
    """Calls the listeners when the transaction around is committed; one that fails does not stop the rest."""
    for listener in _listeners:
        transaction.on_commit(functools.partial(listener, revoked), robust=True)
