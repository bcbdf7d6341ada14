"""What the audit rows know about keys in use: which of them have been revoked since they were sealed."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Max

from keys_app.models import KeyAction, KeyUse

REVOCATIONS = (KeyAction.REPLACED, KeyAction.DELETED)


@dataclass(frozen=True)
class Outdated:
    """A key that was sealed for a generation of a session and then revoked; `number` is the revocation's."""

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
        .values("session", "generation", "provider", "key")
        .annotate(last=Max("pk"))
    )
    given = list(sealed)
    revoked = (
        KeyUse.objects.filter(key__in={row["key"] for row in given}, action__in=REVOCATIONS)
        .order_by()
        .values("key")
        .annotate(last=Max("pk"))
    )
    numbers = {row["key"]: row["last"] for row in revoked}
    found = []
    for row in given:
        session, generation, number = row["session"], row["generation"], numbers.get(row["key"], 0)
        if session is not None and generation is not None and number > row["last"]:
            found.append(Outdated(session, generation, row["provider"], number))
    return found
