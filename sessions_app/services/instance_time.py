"""How long instances were there: from being made to their end, or to now by the database's clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from sessions_app.models import Instance, InstanceUse, Session


def seconds(*, of: Q, since: datetime | None = None, until: datetime | None = None) -> int:
    """Seconds of all instances of the sessions that `of` selects, within the span; purged ones included.

    Told to people and compared with quotas, so it goes by the clock; no order depends on it.
    """
    now = _now()
    until = min(until or now, now)
    chosen = Session.objects.filter(of).values("pk")
    rows = Instance.objects.filter(session__in=chosen, launched_at__lt=until)
    gone = InstanceUse.objects.filter(session__in=chosen, launched_at__lt=until)
    if since is not None:
        rows = rows.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=since))
        gone = gone.filter(ended_at__gt=since)
    spans = [*rows.values_list("launched_at", "ended_at"), *gone.values_list("launched_at", "ended_at")]
    return _sum(spans, since, until)


def keep(session: Session) -> None:
    """Before the rows of its instances are deleted: how long they lived stays."""
    InstanceUse.objects.bulk_create(
        (
            InstanceUse(
                session=session,
                owner_id=session.owner_id,
                generation=row.generation,
                launched_at=row.launched_at,
                ended_at=row.ended_at,
            )
            for row in session.instances.all()
            if row.launched_at is not None and row.ended_at is not None
        ),
        ignore_conflicts=True,
    )


def _sum(
    spans: Iterable[tuple[datetime | None, datetime | None]], since: datetime | None, until: datetime
) -> int:
    total = 0.0
    for begun, ended in spans:
        assert begun is not None, "selected by it"
        start = max(begun, since) if since else begun
        total += max((min(ended or until, until) - start).total_seconds(), 0)
    return round(total)


def _now() -> datetime:
    """The database's clock; SQLite has none of its own, it is in this process."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        moment: datetime = cursor.fetchone()[0]
    return moment
