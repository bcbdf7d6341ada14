"""Reading a session's log for those who follow it: its head, where to resume, and pages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db.models import Max, Min, QuerySet

from sessions_app.models import Event, Session
from sessions_app.models.event import CHARACTERS

MAX_PAGE_CHARACTERS = 2 * 1024 * 1024
"""Folded rows can be long: a page ends after the row that goes beyond this."""

MOST_ROWS = 100_000
MOST_CHARACTERS = 16 * 1024 * 1024
"""Of data that are read for one answer; no conversation between people and agents gets there."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a session's stored log ends, and the version of its state."""

    generation: int
    last_seq: int
    state_version: int


def may_watch(*, session_id: uuid.UUID, user_id: uuid.UUID) -> bool:
    """Whether this user may see the session."""
    return Session.objects.owned_by(user_id).filter(pk=session_id).exists()


def heads(session_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Head]:
    """The heads of those of the sessions that are still there, in one query."""
    rows = Session.objects.present().filter(pk__in=session_ids)
    return {
        pk: Head(generation, last_seq, version)
        for pk, generation, last_seq, version in rows.values_list(
            "pk", "generation", "last_seq", "state_version"
        )
    }


def head(*, session_id: uuid.UUID) -> Head | None:
    """The head of one session, None when it was deleted."""
    return heads([session_id]).get(session_id)


def resume(*, session_id: uuid.UUID, gen: int, seq: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """For a reader that has seen up to (gen, seq): where it goes on, and the last stored event of `gen`.

    What it saw of an ended generation beyond what was stored never became part of the log.
    """
    current = Session.objects.values_list("generation", "last_seq").get(pk=session_id)
    if gen == 0 or gen > current[0] or (gen == current[0] and seq > current[1] + 1_000_000):
        return (0, 0), (current[0], current[1])
    if gen == current[0]:
        return (gen, seq), (current[0], current[1])
    last = (
        Event.objects.filter(session_id=session_id, gen__lte=gen).aggregate(last=Max("seq_end"))["last"] or 0
    )
    return (gen, min(seq, last)), (gen, last)


@dataclass(frozen=True, slots=True)
class Page:
    """Some stored events in the order of their first numbers."""

    events: list[dict[str, Any]]
    has_more: bool


def page(*, session_id: uuid.UUID, gen: int, seq: int, after_row: int | None, until: int, limit: int) -> Page:
    """The next stored events, in order of their first number, for a reader that has seen up to (gen, seq).

    At most `limit` rows and, but for one, MAX_PAGE_CHARACTERS of data.
    `after_row` is the first number of the last row of the page before: rows that span several numbers
    overlap, so paging by their ends would leave some out. Those that span it come again: they may have been
    folded since the page before, and hold what stood in rows that are gone.
    """
    rows = Event.objects.filter(session_id=session_id, seq__lte=until).order_by("seq")
    if after_row is not None:
        return _go_on(rows, after_row, limit)
    newer = Event.objects.filter(session_id=session_id, gen__gt=gen).aggregate(first=Min("seq"))["first"]
    return _read(rows.filter(seq_end__gt=seq if newer is None else min(seq, newer - 1)), limit)


def newer(*, session_id: uuid.UUID, after: int, after_row: int | None, limit: int) -> Page:
    """What is newer than number `after`; `limit` and `after_row` are as for `page`."""
    rows = Event.objects.after(after).filter(session_id=session_id)
    return _read(rows, limit) if after_row is None else _go_on(rows, after_row, limit)


def newest(*, session_id: uuid.UUID) -> tuple[int, Iterator[dict[str, Any]]]:
    """The stored events in order, read while they are taken; of too many the newest, and from which number.

    The number is 0 when nothing is left out. But for one row, they keep to MOST_ROWS and MOST_CHARACTERS.
    Before the first of them stand those that say which agent runs, and how the turn began that is cut.
    """
    log = Event.objects.filter(session_id=session_id)
    begin = _begin(log)
    rows = log.filter(seq__gte=begin).order_by("seq")
    heads = _heads(log, begin) if begin else []
    return begin, (row.envelope() for row in chain(heads, rows.iterator()))


def _begin(log: QuerySet[Event]) -> int:
    """The number from which on the log keeps to the bounds, looking back from its end; 0: as a whole."""
    begin = characters = 0
    sizes = log.order_by("-seq").values_list("seq", CHARACTERS)
    for count, (seq, size) in enumerate(sizes.iterator(), 1):
        characters += size
        if begin and (count > MOST_ROWS or characters > MOST_CHARACTERS):
            return begin
        begin = seq
    return 0


def _heads(log: QuerySet[Event], begin: int) -> list[Event]:
    earlier = log.filter(seq__lt=begin).order_by("-seq")
    said = [earlier.filter(turn=None, kind=kind).first() for kind in ("instance.started", "agent.config")]
    turn = log.filter(seq=begin).values_list("turn", flat=True).first()
    if turn is not None:
        said.append(earlier.filter(turn=turn, kind="turn.started").first())
    return sorted((row for row in said if row is not None), key=lambda row: row.seq)


def _go_on(rows: QuerySet[Event], after_row: int, limit: int) -> Page:
    found = _read(rows.filter(seq__gt=after_row), limit)
    # Read after those: what is folded in between is here, or was there.
    spanning = [row.envelope() for row in rows.filter(seq__lte=after_row, seq_end__gt=after_row)]
    return Page([*spanning, *found.events], found.has_more)


def _read(rows: QuerySet[Event], limit: int) -> Page:
    events: list[dict[str, Any]] = []
    characters = 0
    for row in rows[: limit + 1].iterator(chunk_size=100):
        if len(events) == limit or characters > MAX_PAGE_CHARACTERS:
            return Page(events, has_more=True)
        events.append(row.envelope())
        characters += len(json.dumps(row.data))
    return Page(events, has_more=False)
