"""The only door to the log: numbered appends by compare-and-set, by the live instance or by the platform."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction

from sessions_app.models import Event, Session
from sidecar.protocol import messages


class Outcome(enum.Enum):
    """What became of events that an instance sent: stored (or already there), fenced off, or out of order."""

    STORED = "stored"
    FENCED = "fenced"
    GAP = "gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that the platform itself has to say in a session's log."""

    kind: str
    data: messages.Data
    turn: uuid.UUID | None = None


def timestamp() -> str:
    """Now, as events carry it: RFC 3339 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_row(session_id: uuid.UUID, event: messages.Event) -> Event:
    """The row for an event that arrived on the link."""
    return Event(
        session_id=session_id,
        seq=event.seq,
        seq_end=event.seq,
        gen=event.gen,
        turn=uuid.UUID(event.turn) if event.turn else None,
        ts=event.ts,
        kind=event.kind,
        data=event.data,
    )


def claim_numbers(
    *, session_id: uuid.UUID, generation: int, events: Sequence[messages.Event]
) -> tuple[Outcome, Sequence[messages.Event]]:
    """Moves `last_seq` over `events` if they are the next ones of this generation; answers what to store.

    Events that are stored already are left out, so a repeated frame answers STORED with nothing to store.
    Call inside the transaction that stores the rows.
    """
    while events:
        first, last = events[0].seq, events[-1].seq
        moved = Session.objects.filter(id=session_id, generation=generation, last_seq=first - 1).update(
            last_seq=last
        )
        if moved:
            return Outcome.STORED, events
        fence = Session.objects.filter(id=session_id).values_list("generation", "last_seq").first()
        if fence is None or fence[0] != generation:
            return Outcome.FENCED, ()
        if fence[1] < first - 1:
            return Outcome.GAP, ()
        events = [event for event in events if event.seq > fence[1]]
    return Outcome.STORED, ()


@transaction.atomic
def append(*, session_id: uuid.UUID, entries: Sequence[Entry], new_generation: bool = False) -> int:
    """Appends what the platform says; the last number that was stored before it.

    Only while no instance may write: the caller has just ended it (`new_generation` fences it off for good)
    or has not given it its first number yet.
    """
    while True:
        generation, last_seq = Session.objects.values_list("generation", "last_seq").get(id=session_id)
        gen = generation + int(new_generation)
        moved = Session.objects.filter(id=session_id, generation=generation, last_seq=last_seq).update(
            generation=gen, last_seq=last_seq + len(entries)
        )
        if moved:
            break
    now = timestamp()
    Event.objects.bulk_create(
        Event(
            session_id=session_id,
            seq=seq,
            seq_end=seq,
            gen=gen,
            turn=entry.turn,
            ts=now,
            kind=entry.kind,
            data=messages.to_data(entry.data),
        )
        for seq, entry in enumerate(entries, last_seq + 1)
    )
    return int(last_seq)
