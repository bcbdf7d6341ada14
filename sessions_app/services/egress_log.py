"""What a session's box reached of the network and what it did not, host by host, as its log tells."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F, FloatField, Max, Q, QuerySet, Sum, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from sessions_app.models import EgressBounds, EgressRule, Event, Session, Verdict
from sessions_app.models.event import EGRESS_KINDS
from sessions_app.services import egress, shapes

_USED, _BLOCKED = EGRESS_KINDS
_USED_ONES, _BLOCKED_ONES = Q(kind=_USED), Q(kind=_BLOCKED)


def by_host(session_id: uuid.UUID) -> QuerySet[Event, Any]:
    """One row for each host and port, with `last_seq` to order them by."""
    rows = Event.objects.filter(session=session_id, kind__in=EGRESS_KINDS)
    return (
        rows.order_by()
        .values(host=_text("host"), port=_text("port"))
        .annotate(
            # The log's numbers are a sidecar's, and large ones do not fit when they are added up as such.
            used=Sum(_number("count", 1), filter=_USED_ONES),
            blocked=Sum(_number("count", 1), filter=_BLOCKED_ONES),
            bytes_up=Sum(_number("bytes_up", 0), filter=_USED_ONES),
            bytes_down=Sum(_number("bytes_down", 0), filter=_USED_ONES),
            last_seq=Max("seq"),
            last_at=Max("ts"),
            last_blocked=Max("seq", filter=_BLOCKED_ONES),
        )
    )


def describe(session_id: uuid.UUID, rows: Sequence[Mapping[str, Any]]) -> list[shapes.Shape]:
    """The public shape of some of those rows; `reason` is why the host was refused last."""
    refusals = [row["last_blocked"] for row in rows if row["last_blocked"]]
    told = Event.objects.filter(session=session_id, seq__in=refusals).values_list("seq", "data")
    reasons = {seq: str(data.get("reason", "")) for seq, data in told}
    numbers = ("used", "blocked", "bytes_up", "bytes_down")
    return [
        {
            "host": row["host"],
            "port": int(row["port"]),
            **{name: int(row[name] or 0) for name in numbers},
            "reason": reasons.get(row["last_blocked"], ""),
            "last_at": row["last_at"],
        }
        for row in rows
    ]


def policy(session: Session) -> shapes.Shape:
    """What holds for the session, and who says so of each host."""
    holds, bounds = egress.of(session), EgressBounds.current()
    rules = list(EgressRule.objects.owned_by(session.owner_id).order_by("host"))
    trusted, public = egress.registries(bounds)
    by = {
        "administrator": bounds.named("always"),
        "git": bounds.named("git_hosts"),
        "registry": [*trusted, *public],
        "session": session.egress_hosts,
        "you": [rule.host for rule in rules if rule.verdict == Verdict.ALWAYS],
    }
    refused = {
        "administrator": bounds.named("never"),
        "you": [rule.host for rule in rules if rule.verdict == Verdict.NEVER],
    }
    is_listed = {*holds.hosts, *holds.trusted}
    return {
        "policy": holds.policy,
        "ask": holds.ask,
        "loosest": bounds.loosest,
        "users_add_hosts": bounds.users_add_hosts,
        "allowed": [
            {"host": host, "by": name} for name, each in by.items() for host in each if host in is_listed
        ],
        "refused": [
            {"host": host, "by": name}
            for name, each in refused.items()
            for host in each
            if host in holds.never
        ],
    }


def _text(name: str) -> KeyTextTransform:
    return KeyTextTransform(name, F("data"))


def _number(name: str, default: int) -> Coalesce:
    number = Cast(Cast(_text(name), TextField()), FloatField())
    return Coalesce(number, float(default), output_field=FloatField())
