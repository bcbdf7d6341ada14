"""Metered use: recorded once for each model call, with what it cost, and summed for people."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from keys_app import services as keys
from keys_app.models import KeyAction, KeyUse, ProviderKey
from openagent.accounts.models import User
from openagent.lib.errors import AppError
from sessions_app.models import Session, UsageEvent
from sessions_app.models.usage import UsageEventQuerySet
from sessions_app.services import instance_time, prices, shapes, storage
from sidecar.protocol import messages

Group = Literal["day", "session", "model", "key", "user"]
DEFAULT_DAYS = 30

# A provider's own numbers, but they came through a box's neighbour: nothing may overflow a column or a sum.
_MOST_TOKENS = 10**12

_CORRECTED = (
    *("model", "input", "output", "cached", "written", "reasoning"),
    *("is_estimated", "price", "cost_micros"),
)


def record(
    *, session_id: uuid.UUID, turn: uuid.UUID | None, data: messages.Usage, generation: int | None = None
) -> None:
    """Remembers one model call. Repeating it, known by the session and the request's id, changes nothing.

    What corrects an estimate takes its place.

    Part of the session's state: the caller bumps that.
    """
    session = Session.objects.filter(pk=session_id).first()
    if session is None:
        return
    row = UsageEvent(
        session_id=session_id,
        owner_id=session.owner_id,
        key_id=key_of(session, generation=generation, provider=data.provider),
        turn=turn,
        request_id=data.request_id[:100],
        provider=data.provider[:40],
        model=(data.model or session.model)[:200],
        input=_count(data.input),
        output=_count(data.output),
        cached=_count(data.cached),
        written=_count(data.written),
        reasoning=_count(data.reasoning),
        is_estimated=data.estimated,
    )
    prices.charge(row, day=timezone.now().date())
    if data.corrects is not None:
        estimate = UsageEvent.objects.filter(session=session, request_id=row.request_id, is_estimated=True)
        if estimate.update(**{name: getattr(row, name) for name in _CORRECTED}):
            return
    UsageEvent.objects.bulk_create([row], ignore_conflicts=True)


def key_of(session: Session, *, generation: int | None = None, provider: str = "") -> uuid.UUID | None:
    """The key that this generation's calls are made with: the one last sealed for it.

    Before that it is the one that would be: what the session names, or else its owner's best.
    """
    sealed = KeyUse.objects.filter(
        session=session.pk,
        generation=generation or session.generation,
        provider=provider or session.provider,
        action=KeyAction.SEALED,
    )
    last = sealed.order_by("-pk").values_list("key", flat=True).first()
    if last is not None and ProviderKey.objects.filter(pk=last).exists():
        return last
    try:
        chosen = keys.choose(owner_id=session.owner_id, provider=session.provider, key_id=session.key_id)
    except AppError:
        return session.key_id
    return chosen.pk if chosen is not None else None


def summarise(
    *, owner_id: uuid.UUID | None, since: datetime | None, until: datetime | None, group: Group
) -> shapes.Shape:
    """What a user's sessions, or everybody's, used from `since` up to before `until`; deleted ones count."""
    until = until or timezone.now()
    since = since or until - timedelta(days=DEFAULT_DAYS)
    rows = UsageEvent.objects.filter(created_at__gte=since, created_at__lt=until)
    whose = Q() if owner_id is None else Q(owner=owner_id)
    rows = rows.filter(whose)
    stored = _stored(whose, since, until, group)
    return {
        "from": shapes.moment(since),
        "to": shapes.moment(until),
        "group": group,
        "totals": rows.totals_by()[()],
        "results": _grouped(rows, group, stored or {}),
        "unpriced": _unpriced(rows),
        "burn": _burn(UsageEvent.objects.filter(whose)),
        "instance_seconds": instance_time.seconds(of=whose, since=since, until=until),
        "storage_bytes": storage.taken_now(of=whose),
        "storage_byte_days": storage.byte_days(of=whose, since=since, until=until)
        if stored is None
        else sum(stored.values()),
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
        "by_model": _by_model(rows),
        "unpriced": _unpriced(rows),
        "instance_seconds": instance_time.seconds(of=Q(pk=session_id)),
        "storage_bytes": storage.taken_now(of=Q(pk=session_id)),
        "storage_byte_days": storage.byte_days(of=Q(session=session_id), since=None, until=timezone.now()),
    }


def _stored(whose: Q, since: datetime, until: datetime, group: Group) -> dict[Any, int] | None:
    """Byte-days by what the group is of; None where that is a model or a key, which store nothing."""
    known: dict[Group, Callable[..., dict[Any, int]]] = {
        "day": storage.by_day,
        "session": storage.by_session,
        "user": storage.by_owner,
    }
    return known[group](of=whose, since=since, until=until) if group in known else None


def _grouped(rows: UsageEventQuerySet, group: Group, stored: Mapping[Any, int]) -> list[shapes.Shape]:
    if group == "day":
        days = rows.annotate(day=TruncDate("created_at")).totals_by("day")
        return _with_stored(days, stored, lambda day: {"day": day.isoformat()})
    if group == "session":
        sessions = rows.totals_by("session_id")
        named = stored.keys() | {pk for (pk,) in sessions}
        titles = dict(Session.objects.filter(pk__in=named).values_list("pk", "title"))
        return _with_stored(sessions, stored, lambda pk: {"session": str(pk), "title": titles[pk]})
    if group == "key":
        return _by_key(rows)
    if group == "user":
        emails = dict(User.objects.values_list("pk", "email"))
        users = rows.totals_by("owner_id")
        return _with_stored(users, stored, lambda pk: {"user": str(pk), "email": emails[pk]})
    return _by_model(rows)


def _with_stored(
    used: Mapping[tuple[Any, ...], Mapping[str, int]],
    stored: Mapping[Any, int],
    name: Callable[[Any], shapes.Shape],
) -> list[shapes.Shape]:
    """Whatever called a model or stored something, in the order of what it is."""
    calls = {key: totals for (key,), totals in used.items()}
    return [
        {**name(key), **calls.get(key, shapes.NO_USAGE), "storage_byte_days": stored.get(key, 0)}
        for key in sorted(calls.keys() | stored.keys())
    ]


def _by_model(rows: UsageEventQuerySet) -> list[shapes.Shape]:
    models = rows.totals_by("provider", "model")
    return [{"provider": provider, "model": model, **totals} for (provider, model), totals in models.items()]


def _by_key(rows: UsageEventQuerySet) -> list[shapes.Shape]:
    """Calls without a key, and those of keys that were deleted, stand together."""
    keys = rows.totals_by("key_id", "key__provider", "key__label", "key__hint")
    return [
        {
            "key": str(pk) if pk else None,
            "provider": provider or "",
            "label": label or "",
            "hint": hint or "",
            **totals,
        }
        for (pk, provider, label, hint), totals in keys.items()
    ]


def _unpriced(rows: UsageEventQuerySet) -> list[dict[str, Any]]:
    """The models of which no cost is known, by name."""
    found = rows.filter(cost_micros__isnull=True).totals_by("provider", "model")
    return [
        {"provider": provider, "model": model, "calls": totals["calls"]}
        for (provider, model), totals in found.items()
    ]


def _burn(rows: UsageEventQuerySet) -> shapes.Shape:
    """What was spent in the last hour and in the last day, in millionths of a dollar."""
    now = timezone.now()

    def spent(hours: int) -> int:
        return rows.filter(created_at__gte=now - timedelta(hours=hours)).totals_by()[()]["cost_micros"]

    return {"last_hour_micros": spent(1), "last_day_micros": spent(24)}


def _count(number: int) -> int:
    return min(max(number, 0), _MOST_TOKENS)
