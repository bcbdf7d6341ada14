"""The only door to the log: numbered appends by compare-and-set, by the live instance or by the platform."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from django.db import connection, transaction
from django.db.models import Max, Q

from sessions_app.models import Event, Session
from sidecar.protocol import messages

_json = msgspec.json.Encoder()
_INSERT = (
    f"INSERT INTO {Event._meta.db_table} (session_id, seq, seq_end, gen, turn, ts, kind, data)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)
_MOVE = (
    f"UPDATE {Session._meta.db_table} SET last_seq = %s WHERE id = %s AND generation = %s AND last_seq = %s"
)


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


def insert(rows: Sequence[tuple[uuid.UUID, messages.Event]]) -> None:
    """Stores events that arrived on a link, whose numbers were claimed: (session, event) of each.

    Written in SQL because this is the hot path of the whole platform: it costs a fifth of `bulk_create`.
    """
    if not rows:
        return
    key, turn = Event._meta.get_field("session"), Event._meta.get_field("turn")
    with connection.cursor() as cursor:
        cursor.executemany(
            _INSERT,
            [
                (
                    key.get_db_prep_value(session_id, connection),
                    event.seq,
                    event.seq,
                    event.gen,
                    turn.get_db_prep_value(event.turn, connection),
                    event.ts,
                    event.kind,
                    _json.encode(event.data).decode(),
                )
                for session_id, event in rows
            ],
        )


def claim_numbers(
    *, session_id: uuid.UUID, generation: int, events: Sequence[messages.Event]
) -> tuple[Outcome, Sequence[messages.Event]]:
    """Moves `last_seq` over `events` if they are the next ones of this generation; answers what to store.

    Events that are stored already are left out, so a repeated frame answers STORED with nothing to store.
    Call inside the transaction that stores the rows.
    """
    while events:
        first = events[0].seq
        if _move(session_id, generation, before=first - 1, last=events[-1].seq):
            return Outcome.STORED, events
        fence = Session.objects.filter(id=session_id).values_list("generation", "last_seq").first()
        if fence is None or fence[0] != generation:
            return Outcome.FENCED, ()
        if fence[1] < first - 1:
            return Outcome.GAP, ()
        events = [event for event in events if event.seq > fence[1]]
    return Outcome.STORED, ()


def _move(session_id: uuid.UUID, generation: int, *, before: int, last: int) -> bool:
    """The fence's compare-and-set."""
    key = Session._meta.pk.get_db_prep_value(session_id, connection)
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, (last, key, generation, before))
        return bool(cursor.rowcount)


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


def told_after_end(*, session_id: uuid.UUID) -> list[uuid.UUID]:
    """The turns of which the present generation's part of the log tells something after their last end."""
    generation = Session.objects.values_list("generation", flat=True).get(id=session_id)
    turns = Event.objects.filter(session=session_id, gen=generation).exclude(turn=None).values("turn")
    told = turns.annotate(last=Max("seq"), end=Max("seq", filter=Q(kind="turn.ended"))).order_by("last")
    return [turn for row in told if (turn := row["turn"]) and (row["end"] or 0) < row["last"]]
