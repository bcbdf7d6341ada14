"""After a new KEK was put in front: wraps every key with it, while the platform runs, however often it stops.

1. Whoever starts it makes a row, or finds the one that is open.
2. A step takes the next keys that are not wrapped by the first KEK, each on its own by compare-and-set, so it
   disturbs nobody and may run several times at once.
3. When a walk found none that could be wrapped, the row is closed. Until then beat has it carried on.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Count, F
from django.utils import timezone

from keys_app import envelope, keyring, record, vault
from keys_app.keks.base import KekUnavailable
from keys_app.models import KeyAction, ProviderKey, Rewrapping

STEP = 50


@dataclass(frozen=True)
class Share:
    """How many keys a KEK has wrapped. If it is not known nobody opens them; one with none can go."""

    kek_id: str
    rows: int
    is_first: bool
    is_known: bool


def shares() -> list[Share]:
    """The keys by KEK, the first KEK before the others."""
    ring = keyring.current()
    counts = dict(ProviderKey.objects.order_by().values_list("kek_id").annotate(rows=Count("pk")))
    others = sorted(counts.keys() - {ring.first.id})
    return [
        Share(kek_id, counts.get(kek_id, 0), kek_id == ring.first.id, ring.get(kek_id) is not None)
        for kek_id in (ring.first.id, *others)
    ]


def start(*, user_id: uuid.UUID | None = None) -> Rewrapping:
    """The open walk towards the first KEK, or a new one, which ends those towards others."""
    first = keyring.current().first.id
    Rewrapping.objects.filter(ended_at=None).exclude(kek_id=first).update(
        ended_at=timezone.now(), last_error="Another KEK was put in front."
    )
    try:
        with transaction.atomic():
            return Rewrapping.objects.create(kek_id=first, started_by_id=user_id)
    except IntegrityError:
        return Rewrapping.objects.get(kek_id=first, ended_at=None)


def carry_on_all() -> None:
    """Carries on what is open."""
    for walk in Rewrapping.objects.filter(ended_at=None):
        carry_on(walk)


def carry_on(walk: Rewrapping, *, told: Callable[[Rewrapping], None] = lambda walk: None) -> Rewrapping:
    """Walks until every key is wrapped that can be; `told` hears of each step.

    It stops early, to be carried on, when a KEK cannot be asked, or here another one is the first.
    """
    if keyring.current().first.id != walk.kek_id:
        _note(walk, "A process that was to do it has another KEK in front: start it anew.")
        return walk
    while True:
        wrapped, unreadable = _walk(walk, told)
        if unreadable is None:
            break
        if not wrapped:
            ended = {"unreadable": unreadable, "ended_at": timezone.now()}
            Rewrapping.objects.filter(pk=walk.pk).update(**ended)
            break
    walk.refresh_from_db()
    return walk


def _walk(walk: Rewrapping, told: Callable[[Rewrapping], None]) -> tuple[int, int | None]:
    """Once over all keys: how many were wrapped, and how many cannot be read, None when it had to stop."""
    left = ProviderKey.objects.exclude(kek_id=walk.kek_id).order_by("pk")
    wrapped = unreadable = 0
    rows = list(left[:STEP])
    while rows:
        for key in rows:
            try:
                wrapped += _rewrap(walk, key)
            except envelope.EnvelopeError as error:
                vault.alarm(key, error)
                unreadable += 1
                _note(walk, f"{key.pk}: {error.reason}")
            except KekUnavailable as error:
                _note(walk, error.message)
                return wrapped, None
        walk.refresh_from_db()
        told(walk)
        rows = list(left.filter(pk__gt=rows[-1].pk)[:STEP])
    return wrapped, unreadable


def _rewrap(walk: Rewrapping, key: ProviderKey) -> int:
    changed = vault.rewrap(key)
    with transaction.atomic():
        row = ProviderKey.objects.filter(pk=key.pk, version=key.version, kek_id=key.kek_id)
        if not row.update(**changed):
            return 0
        record.write(key, KeyAction.REWRAPPED)
        Rewrapping.objects.filter(pk=walk.pk).update(wrapped=F("wrapped") + 1)
    return 1


def _note(walk: Rewrapping, words: str) -> None:
    Rewrapping.objects.filter(pk=walk.pk).update(last_error=words[:200])
