"""The only door to the log: numbered appends by compare-and-set, by the live instance or by the platform."""

from __future__ import annotations

import enum
import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Max, Q

from sessions_app.models import Event, Session
from sidecar.protocol import messages

_json = msgspec.json.Encoder()
_INSERT = (
    f"INSERT INTO {Event._meta.db_table} (session_id, seq, seq_end, gen, turn, ts, kind, data) VALUES %s"
)
_MOST_ROWS = 1000
"""In one statement: SQLite takes 32766 values at most."""
# Both databases call the columns of VALUES so.
_MOVE = (
    f"UPDATE {Session._meta.db_table} SET last_seq = claim.column4 FROM (VALUES %s) AS claim"
    " WHERE id = claim.column1 AND generation = claim.column2 AND last_seq = claim.column3 RETURNING id"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Consecutive events that an instance of this generation sent."""

    session_id: uuid.UUID
    generation: int
    events: Sequence[messages.Event]


def insert(rows: Sequence[tuple[uuid.UUID, messages.Event]]) -> None:
    """Stores events that arrived on a link, whose numbers were claimed: (session, event) of each.

    Written in SQL because this is the hot path of the whole platform: it costs a fifth of `bulk_create`. Each
    statement of this thread, and each row of an `executemany`, waits for the busy event loop to let go.
    """
    key, turn = Event._meta.get_field("session"), Event._meta.get_field("turn")
    prepared = functools.cache(lambda field, value: field.get_db_prep_value(value, connection))
    for start in range(0, len(rows), _MOST_ROWS):
        part = rows[start : start + _MOST_ROWS]
        values: list[Any] = []
        for session_id, event in part:
            values += (
                prepared(key, session_id),
                event.seq,
                event.seq,
                event.gen,
                prepared(turn, event.turn),
                event.ts,
                event.kind,
                _json.encode(event.data).decode(),
            )
        with connection.cursor() as cursor:
            cursor.execute(_INSERT % _rows(len(part), 8), values)


def claim_numbers(claims: Sequence[Claim]) -> list[tuple[Outcome, Sequence[messages.Event]]]:
    """Moves `last_seq` over the events of each claim if they are the next ones of its generation.

    Answers for each what to store: events that are stored already are left out, so a repeated frame answers
    STORED with nothing to store. Call inside the transaction that stores the rows.
    """
    moved = _move(claims)
    return [
        (Outcome.STORED, claim.events) if index in moved else _claim_what_is_new(claim)
        for index, claim in enumerate(claims)
    ]


def _claim_what_is_new(claim: Claim) -> tuple[Outcome, Sequence[messages.Event]]:
    """The same for one claim that may not be what comes next."""
    while claim.events:
        fence = Session.objects.filter(id=claim.session_id).values_list("generation", "last_seq").first()
        if fence is None or fence[0] != claim.generation:
            return Outcome.FENCED, ()
        if fence[1] < claim.events[0].seq - 1:
            return Outcome.GAP, ()
        claim = replace(claim, events=[event for event in claim.events if event.seq > fence[1]])
        if _move([claim]):
            return Outcome.STORED, claim.events
    return Outcome.STORED, ()


def _move(claims: Sequence[Claim]) -> set[int]:
    """The compare-and-set of the fences of all of them, in one statement; the indexes of those it moved."""
    keys: dict[Any, int] = {}
    values: list[Any] = []
    for index, claim in enumerate(claims):
        key = Session._meta.pk.get_db_prep_value(claim.session_id, connection)
        # Of two claims on one session the second is looked at when the first has its numbers.
        if claim.events and key not in keys:
            keys[key] = index
            values += (key, claim.generation, claim.events[0].seq - 1, claim.events[-1].seq)
    if not keys:
        return set()
    if len(keys) > 1:
        # The statement below takes them as its plan has it.
        Session.objects.filter(pk__in=[claims[index].session_id for index in keys.values()]).hold_all()
    with connection.cursor() as cursor:
        cursor.execute(_MOVE % _rows(len(keys), 4), values)
        return {keys[key] for (key,) in cursor.fetchall()}


def _rows(count: int, width: int) -> str:
    row = f"({', '.join(['%s'] * width)})"
    return ", ".join([row] * count)


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
