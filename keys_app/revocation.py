"""Tells others what becomes of a key: that it will be deleted, and that copies of it must be forgotten.

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
DeletionListener = Callable[[uuid.UUID], None]

_listeners: list[Listener] = []
_deletion_listeners: list[DeletionListener] = []


def subscribe(listener: Listener) -> None:
    """From now on `listener` is called after each committed revocation; subscribing twice changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def announce(revoked: Revoked) -> None:
    """Calls the listeners when the transaction around is committed; one that fails does not stop the rest."""
    for listener in _listeners:
        transaction.on_commit(functools.partial(listener, revoked), robust=True)


def subscribe_to_deletions(listener: DeletionListener) -> None:
    """From now on `listener` gets the id of each key that will be deleted; twice changes nothing.

    It is called in the transaction that deletes, before the key's row is locked: who has rows that name the
    key takes them there, for whoever has these already may wait for the key.
    """
    if listener not in _deletion_listeners:
        _deletion_listeners.append(listener)


def announce_deletion(key_id: uuid.UUID) -> None:
    """Calls the listeners now; one that fails prevents the deletion."""
    for listener in _deletion_listeners:
        listener(key_id)
