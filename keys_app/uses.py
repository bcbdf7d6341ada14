"""What the audit rows know about keys in use: which of them may not be used any more."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from keys_app.models import KeyAction, KeyUse, ProviderKey

REVOCATIONS = (KeyAction.REPLACED, KeyAction.DELETED)


@dataclass(frozen=True)
class Outdated:
    """A key that was sealed for a generation of a session and may not be used there any more.

    `number` tells one such event from another: it is the revocation's, or below zero that of the sealing
    after which its user lost the key.
    """

    session: uuid.UUID
    generation: int
    provider: str
    number: int


def outdated(sessions: Collection[uuid.UUID]) -> list[Outdated]:
    """What these sessions were given last and may use no longer.

    By numbers, not by times: whoever seals a key and whoever revokes it wait for each other.
    """
    sealed = (
        KeyUse.objects.filter(session__in=sessions, action=KeyAction.SEALED)
        .order_by()
        .values("session", "generation", "provider", "key", "user", "owner")
        .annotate(last=Max("pk"))
    )
    given = _latest(sealed)
    revoked = (
        KeyUse.objects.filter(key__in={row["key"] for row in given}, action__in=REVOCATIONS)
        .order_by()
        .values("key")
        .annotate(last=Max("pk"))
    )
    numbers = {row["key"]: row["last"] for row in revoked}
    borrowed = _borrowed(given)
    found = []
    for row in given:
        session, generation, number = row["session"], row["generation"], numbers.get(row["key"], 0)
        if number <= row["last"] and (row["key"], row["user"]) in borrowed:
            number = -row["last"]
        if session is not None and generation is not None and (number > row["last"] or number < 0):
            found.append(Outdated(session, generation, row["provider"], number))
    return found


def sessions_with(key_id: uuid.UUID) -> list[uuid.UUID]:
    """The sessions that this key was sealed for, of whoever."""
    sealed = KeyUse.objects.filter(key=key_id, action=KeyAction.SEALED, session__isnull=False)
    return [session for session in sealed.values_list("session", flat=True).distinct() if session]


def _latest(sealed: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of all keys that a generation was given for a provider the last: it holds no other."""
    latest: dict[tuple[Any, Any, str], Mapping[str, Any]] = {}
    for row in sealed:
        place = (row["session"], row["generation"], row["provider"])
        if place not in latest or row["last"] > latest[place]["last"]:
            latest[place] = row
    return list(latest.values())


def _borrowed(given: Collection[Mapping[str, Any]]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Keys and users of them who are not their owners and may not use them any more."""
    users: dict[uuid.UUID, set[uuid.UUID]] = {}
    for row in given:
        if row["user"] is not None and row["user"] != row["owner"]:
            users.setdefault(row["user"], set()).add(row["key"])
    lost = set()
    for user, keys in users.items():
        usable = set(ProviderKey.objects.usable_by(user).filter(pk__in=keys).values_list("pk", flat=True))
        lost |= {(key, user) for key in keys - usable}
    return lost
