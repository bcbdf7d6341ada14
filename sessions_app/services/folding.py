"""Folds a finished turn's many small delta rows into one row for each part, so that the log stays small.

The conversation that the log tells is the same before and after.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Min, QuerySet, Sum

from sessions_app.models import Event, Prompt, Session
from sessions_app.models.event import CHARACTERS
from sessions_app.services import logs
from sessions_app.services.texts import Text
from sidecar.protocol.messages import DELTA_KINDS

_DELETE_AT_ONCE = 500
WINDOW_ROWS = 5000
WINDOW_CHARACTERS = logs.MAX_PAGE_CHARACTERS
"""Of a turn that is too long to be read at once, as much as is read, and becomes one row for each part."""
MOST_ROWS = 10 * logs.MOST_ROWS
"""Of one turn: an agent that speaks for ten hours without a pause. To fold more would hold up the others."""


class _Outrun(Exception):
    """Somebody else folds the same turn at the same time; what they leave is found by the next pass."""


@dataclass(slots=True)
class _Fold:
    """Rows of one part, written by one generation, that become the first of them."""

    first: Event
    data: dict[str, Any]
    seq_end: int
    others: list[int] = field(default_factory=list)


def fold_turn(*, session_id: uuid.UUID, turn: uuid.UUID) -> int:
    """Folds what an ended turn wrote; how many rows went. Does nothing to an open turn; safe to repeat.

    1. Read the turn's delta rows, part by part, and work out the text of each.
    2. In one transaction let each part's first row span all of them, if it is as it was read, and delete the
       others. A change by somebody else in between makes the whole of it not happen.

    One that wrote more than may be read for one answer is folded window by window, and keeps more rows. One
    that is longer than MOST_ROWS stays as it is, in small rows.
    """
    rows = Event.objects.filter(session=session_id, turn=turn)
    if not rows.filter(kind="turn.ended").exists():
        return 0
    deltas = rows.filter(kind__in=DELTA_KINDS).order_by("seq")
    amount = deltas.aggregate(rows=Count("pk"), characters=Sum(CHARACTERS))
    if amount["rows"] > MOST_ROWS:
        return 0
    if amount["rows"] > logs.MOST_ROWS or (amount["characters"] or 0) > logs.MOST_CHARACTERS:
        return sum(
            _write_all(fold for part in _by_part(window) for fold in _folds_of_runs(part))
            for window in _windows(deltas)
        )
    return _write_all(fold for part in _by_part(deltas.iterator()) for fold in _folds_of(part))


def _write_all(folds: Iterable[_Fold]) -> int:
    """Writes all of them, or none; how many rows went."""
    folds = [fold for fold in folds if fold.others]
    if not folds:
        return 0
    try:
        with transaction.atomic():
            return sum(_write(fold) for fold in folds)
    except _Outrun:
        return 0


def fold_pending() -> int:
    """Folds every ended turn that has something to fold, in all sessions; how many rows went.

    Deltas also arrive late, when a successor salvages them, so it goes by the numbers of the log.
    """
    behind = Session.objects.filter(last_seq__gt=F("folded_seq"))
    marks = behind.values_list("pk", "folded_seq", "last_seq")
    return sum(_fold_after(session_id, folded, last) for session_id, folded, last in list(marks))


def _fold_after(session_id: uuid.UUID, folded: int, last: int) -> int:
    log = Event.objects.filter(session=session_id)
    deltas = log.filter(seq__gt=folded, kind__in=DELTA_KINDS).exclude(turn=None)
    begins = {row["turn"]: row["begin"] for row in deltas.values("turn").annotate(begin=Min("seq"))}
    ends = log.filter(turn__in=begins, kind="turn.ended")
    ended = {turn for turn in ends.values_list("turn", flat=True) if turn is not None}
    gone = sum(fold_turn(session_id=session_id, turn=turn) for turn in ended)
    # A turn that nobody has can never end: it must not hold up the mark for ever.
    others = [turn for turn in begins if turn is not None and turn not in ended]
    running = Prompt.objects.open().filter(session=session_id, pk__in=others)
    waiting = [begins[turn] for turn in running.values_list("pk", flat=True)]
    mark = min(waiting) - 1 if waiting else last
    Session.objects.filter(pk=session_id, folded_seq=folded).update(folded_seq=mark)
    return gone


def _windows(deltas: QuerySet[Event]) -> Iterator[list[Event]]:
    """The rows, as many at a time as may be read at once; a window that is not folded changes no other."""
    last = 0
    while True:
        window: list[Event] = []
        characters = 0
        for row in deltas.filter(seq__gt=last)[:WINDOW_ROWS].iterator(chunk_size=100):
            window.append(row)
            characters += len(row.data["text"])
            if characters > WINDOW_CHARACTERS:
                break
        if not window:
            return
        yield window
        last = window[-1].seq


def _by_part(deltas: Iterable[Event]) -> Iterator[list[Event]]:
    """The deltas of each message, thought or tool, in the order of their numbers."""
    parts: dict[tuple[str, str], list[Event]] = {}
    for row in deltas:
        is_output = row.kind == "tool.output"
        name = row.data["tool_call_id" if is_output else "part_id"]
        # As in the conversation, a part is one thing whichever kind its later deltas claim to be of.
        parts.setdefault(("tool" if is_output else "part", name), []).append(row)
    yield from parts.values()


def _folds_of(part: Sequence[Event]) -> Iterator[_Fold]:
    """One fold per generation that wrote the part: what a later one wrote must not move before its own."""
    before = ""
    for _, group in groupby(part, key=lambda row: row.gen):
        rows = list(group)
        merged = Text(before)
        for row in rows:
            merged.put(row.data["offset"], row.data["text"])
        text = str(merged)
        offset = len(before) if text.startswith(before) else 0
        yield _fold(rows, offset, text[offset:])
        before = text


def _folds_of_runs(part: Sequence[Event]) -> Iterator[_Fold]:
    """One fold for each run of rows that go on where the one before ends, whatever stands before it."""
    run: list[Event] = []
    end = 0
    for row in part:
        if run and (row.gen, row.data["offset"]) != (run[0].gen, end):
            yield _fold_run(run)
            run = []
        run.append(row)
        end = row.data["offset"] + len(row.data["text"])
    yield _fold_run(run)


def _fold_run(run: Sequence[Event]) -> _Fold:
    return _fold(run, run[0].data["offset"], "".join(row.data["text"] for row in run))


def _fold(rows: Sequence[Event], offset: int, text: str) -> _Fold:
    data = {**rows[0].data, "offset": offset, "text": text}
    if omitted := max(row.data.get("omitted", 0) for row in rows):
        data["omitted"] = omitted
    if any(row.data.get("gap") for row in rows):
        data["gap"] = True
    return _Fold(rows[0], data, max(row.seq_end for row in rows), [row.pk for row in rows[1:]])


def _write(fold: _Fold) -> int:
    unchanged = Event.objects.filter(pk=fold.first.pk, seq_end=fold.first.seq_end)
    if not unchanged.update(data=fold.data, seq_end=fold.seq_end):
        raise _Outrun
    gone = 0
    for start in range(0, len(fold.others), _DELETE_AT_ONCE):
        some = fold.others[start : start + _DELETE_AT_ONCE]
        deleted, _ = Event.objects.filter(pk__in=some).delete()
        gone += deleted
    if gone != len(fold.others):
        raise _Outrun
    return gone
