"""Stores what sidecars send: the events of all sessions together, each behind its session's fence."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from openagent.lib import log
from sessions_app.models import Instance, Session
from sessions_app.services import events, lifecycle, projection
from sessions_app.services.events import Outcome
from sidecar.protocol import messages

_log = log.get(__name__)

MOST_EVENTS = 1000
MOST_EFFECTS = 8
"""Of one session at once: an effect is some ten statements, in a transaction that other sessions wait for."""

_LIFE_OF_THE_DEAD = frozenset({"instance.started", "instance.stopped"})


class Fenced(Exception):
    """The instance that salvages is not its session's present generation any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(events.Claim):
    """The same of an instance that is alive."""

    instance_id: uuid.UUID


def slice_end(waiting: Sequence[messages.Event]) -> int:
    """How many of these events, from the first on, may be stored at once."""
    effects = 0
    for index, event in enumerate(waiting[:MOST_EVENTS]):
        effects += projection.has_effect(event.kind)
        if effects > MOST_EFFECTS:
            return index
    return min(len(waiting), MOST_EVENTS)


@transaction.atomic
def store(batches: Sequence[Batch]) -> list[Outcome]:
    """Stores all batches in one transaction and answers what became of each; a refused one hurts no other."""
    rows: list[tuple[uuid.UUID, messages.Event]] = []
    outcomes = []
    for batch, (outcome, fresh) in zip(batches, events.claim_numbers(batches), strict=True):
        rows.extend((batch.session_id, event) for event in fresh)
        effects = [event for event in fresh if projection.has_effect(event.kind)]
        if effects:
            # What an effect reads or appends comes after the rows before it.
            events.insert(rows)
            rows = []
            _apply(batch.instance_id, effects)
        outcomes.append(outcome)
    events.insert(rows)
    return outcomes


def _apply(instance_id: uuid.UUID, effects: Sequence[messages.Event]) -> None:
    for event in effects:
        # Read anew each time: an effect may have moved its state.
        projection.apply(instance=Instance.objects.get(pk=instance_id), event=event)


@transaction.atomic
def salvage(
    *, successor: Instance, gen: int, salvaged: Sequence[messages.Event], done: bool
) -> tuple[int, int]:
    """Stores what an earlier generation left, under new numbers; (its last stored number, next number or 0).

    Guarded by a compare-and-set on the earlier instance's own numbering, so repeating it stores nothing
    twice. With `done` everything that earlier instances left open is settled, and the successor may begin.
    Once it has begun the numbers are its own, and nothing more is salvaged. Fenced when it is not the present
    generation any more.
    """
    session = Session.objects.filter(pk=successor.session_id, generation=successor.generation)
    # Writes what is there: until we commit nobody can end this generation.
    if not session.update(generation=successor.generation):
        raise Fenced
    successor.refresh_from_db()
    if successor.first_seq:
        salvaged = ()
    earlier = Instance.objects.filter(session_id=successor.session_id, generation=gen).first()
    stored = 0
    if earlier is not None and earlier.pk != successor.pk:
        fresh = [event for event in salvaged if event.seq > earlier.stored_seq]
        stored = fresh[-1].seq if fresh else earlier.stored_seq
        moved = Instance.objects.filter(pk=earlier.pk, stored_seq=earlier.stored_seq).update(
            stored_seq=stored
        )
        if moved and fresh:
            _append_salvaged(successor, earlier, fresh)
    next_seq = 0
    if done:
        next_seq = _begin(successor)
    return stored, next_seq


def _append_salvaged(successor: Instance, earlier: Instance, fresh: Sequence[messages.Event]) -> None:
    entries = [
        events.Entry(
            kind=event.kind,
            data=messages.check_data(event.kind, event.data),
            turn=uuid.UUID(event.turn) if event.turn else None,
        )
        for event in fresh
        if event.kind not in _LIFE_OF_THE_DEAD
    ]
    events.append(session_id=successor.session_id, entries=entries)
    for event in fresh:
        if event.kind not in _LIFE_OF_THE_DEAD and projection.has_effect(event.kind):
            projection.apply(instance=earlier, event=event)


def _begin(successor: Instance) -> int:
    """The first number that the successor may use; the same answer when it asks again."""
    if successor.first_seq:
        return successor.first_seq
    lifecycle.settle(session_id=successor.session_id, successor_id=successor.pk)
    Instance.objects.filter(session_id=successor.session_id, generation__lt=successor.generation).update(
        is_salvaged=True
    )
    session_last: int = Session.objects.values_list("last_seq", flat=True).get(pk=successor.session_id)
    Instance.objects.filter(pk=successor.pk).update(first_seq=session_last + 1, stored_seq=session_last)
    return session_last + 1
