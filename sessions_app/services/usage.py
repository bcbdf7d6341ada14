"""Metered use: recorded once for each model call, summed for people."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Literal

from django.db.models.functions import TruncDate
from django.utils import timezone

from sessions_app.models import Session, UsageEvent
from sessions_app.models.usage import UsageEventQuerySet
from sessions_app.services import shapes
from sidecar.protocol import messages

Group = Literal["day", "session", "model"]
DEFAULT_DAYS = 30

# A provider's own numbers, but they came through a box's neighbour: nothing may overflow a column or a sum.
_MOST_TOKENS = 10**12


def record(*, session_id: uuid.UUID, turn: uuid.UUID | None, data: messages.Usage) -> None:
    """Remembers one model call. Repeating it, known by the session and the request's id, changes nothing.

    Part of the session's state: the caller bumps that.
    """
    owner = Session.objects.filter(pk=session_id).values("owner_id", "key_id").first()
    if owner is None:
        return
    row = UsageEvent(
        session_id=session_id,
        turn=turn,
        request_id=data.request_id[:100],
        provider=data.provider[:40],
        model=data.model[:200],
        input=_count(data.input),
        output=_count(data.output),
        cached=_count(data.cached),
        reasoning=_count(data.reasoning),
        **owner,
    )
    UsageEvent.objects.bulk_create([row], ignore_conflicts=True)


def summarise(
    *, owner_id: uuid.UUID, since: datetime | None, until: datetime | None, group: Group
) -> shapes.Shape:
    """What a user's sessions used from `since` up to before `until`; deleted sessions count as well."""
    until = until or timezone.now()
    since = since or until - timedelta(days=DEFAULT_DAYS)
    rows = UsageEvent.objects.filter(owner=owner_id, created_at__gte=since, created_at__lt=until)
    return {
        "from": shapes.moment(since),
        "to": shapes.moment(until),
        "group": group,
        "totals": rows.totals_by()[()],
        "results": _grouped(rows, group),
    }


def of_session(session_id: uuid.UUID) -> shapes.Shape:
    """Totals of one session, by turn and by model."""
    rows = UsageEvent.objects.filter(session=session_id)
    return {
        "totals": rows.totals_by()[()],
        "by_turn": [
            {"turn": str(turn) if turn else None, **totals}
            for (turn,), totals in rows.totals_by("turn").items()
        ],
        "by_model": _grouped(rows, "model"),
    }


def _grouped(rows: UsageEventQuerySet, group: Group) -> list[shapes.Shape]:
    if group == "day":
        days = rows.annotate(day=TruncDate("created_at")).totals_by("day")
        return [{"day": day.isoformat(), **totals} for (day,), totals in days.items()]
    if group == "session":
        sessions = rows.totals_by("session_id", "session__title")
        return [{"session": str(pk), "title": title, **totals} for (pk, title), totals in sessions.items()]
    models = rows.totals_by("provider", "model")
    return [{"provider": provider, "model": model, **totals} for (provider, model), totals in models.items()]


def _count(number: int) -> int:
    return min(max(number, 0), _MOST_TOKENS)
