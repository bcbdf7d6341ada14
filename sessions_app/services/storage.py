"""What the disks of sessions take: measured by whoever may call the driver, kept by day, summed for people.

The unit of sums is the byte-day. A session counts on each day with the most that was measured then, on days
without with what was measured last, and no more from when nobody can restore it.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Sum
from django.utils import timezone

from openagent.lib import log
from sessions_app.drivers.base import DriverError
from sessions_app.models import Instance, Session, StorageDay
from sessions_app.models.session import SessionQuerySet
from sessions_app.services import instances, state

_log = log.get(__name__)

_PASS_SECONDS = 120.0
_MOST_RESTS = 256
"""Passes, about a day of them, after which one that cannot be told is tried again at the latest."""
_DAY = timedelta(days=1)


def measure_due() -> None:
    """One pass over the sessions that were awake since their disk was last measured.

    In no order, and not for ever: what there is no time for has its turn in another pass.
    """
    deadline = time.monotonic() + _PASS_SECONDS
    Session.objects.filter(disk_rests__gt=0).update(disk_rests=F("disk_rests") - 1)
    for session_id in list(due().order_by("?").values_list("pk", flat=True)):
        if time.monotonic() > deadline:
            _log.warning("not all disks measured in one pass")
            return
        with log.context(session=session_id):
            try:
                measure(session_id=session_id)
            except DriverError as error:
                _log.warning("disk not measured", code=error.code)


def due() -> SessionQuerySet:
    """Whose disk may be other than when it was last measured; of this driver, for no other can look at it.

    Without those whose disk could not be told lately.
    """
    began = instances.ours().filter(session=OuterRef("pk"), ready_at__isnull=False)
    is_live = Exists(Instance.objects.live().filter(session=OuterRef("pk")))
    is_other = is_live | Q(generation__gt=F("disk_generation"))
    return Session.objects.filter(Exists(began), is_other, purge_begun_at=None, disk_rests=0)


def measure(*, session_id: uuid.UUID) -> None:
    """Measures one disk. What cannot be told leaves what was told before. DriverError.

    Does nothing while the platform stops: the next run does it.
    """
    session = Session.objects.filter(pk=session_id, purge_begun_at=None).first()
    if session is None or settings.OPENAGENT_STOPPING_FILE.exists():
        return
    # The box of an instance that ended may run until it is removed, and writes on.
    is_settled = not instances.ours().unremoved().filter(session=session).exists()
    taken, limit = instances.disk_of(session)
    if taken is None:
        _miss(session)
        return
    _note(session, taken, limit, is_settled=is_settled, now=timezone.now())


@transaction.atomic
def end(*, session_id: uuid.UUID, now: datetime) -> None:
    """Nobody can restore it any more: what its disk takes until it is removed is not its owner's."""
    Session.objects.hold(session_id)
    session = Session.objects.get(pk=session_id)
    if session.disk_bytes is None:
        return
    _keep(session, day=now.date(), most=session.disk_bytes, last=0)
    Session.objects.filter(pk=session_id).update(disk_bytes=None, disk_limit_bytes=None)


def taken_now(*, of: Q) -> int | None:
    """What the disks of the sessions that `of` selects took when last looked at; None if nobody ever did."""
    total: int | None = Session.objects.filter(of).aggregate(total=Sum("disk_bytes"))["total"]
    return total


def byte_days(*, of: Q, since: datetime | None, until: datetime) -> int:
    """Of the rows that `of` selects, on all days from that of `since` up to before `until`; none to come."""
    return sum(_sums(_stretches(of, since, until)).values())


def by_session(*, of: Q, since: datetime, until: datetime) -> dict[uuid.UUID, int]:
    """The same for each session that has any."""
    return _sums(_stretches(of, since, until))


def by_owner(*, of: Q, since: datetime, until: datetime) -> dict[uuid.UUID, int]:
    """The same for each owner that has any."""
    return _sums(_stretches(of, since, until, whose="owner_id"))


def by_day(*, of: Q, since: datetime, until: datetime) -> dict[date, int]:
    """The same for each day that has any."""
    changes: dict[date, int] = defaultdict(int)
    for stretch in _stretches(of, since, until):
        changes[stretch.first] += stretch.bytes
        changes[stretch.end] -= stretch.bytes
    found: dict[date, int] = {}
    level = 0
    for day, following in pairwise(sorted(changes)):
        level += changes[day]
        if level:
            found.update((day + number * _DAY, level) for number in range((following - day).days))
    return found


class _Stretch(NamedTuple):
    """Days, without the one at `end`, on each of which a disk of somebody's counts alike."""

    whose: uuid.UUID
    first: date
    end: date
    bytes: int


def _stretches(
    of: Q, since: datetime | None, until: datetime, *, whose: str = "session_id"
) -> Iterator[_Stretch]:
    begin = since.date() if since else date.min
    # A moment at midnight begins no day.
    end = (min(until, timezone.now()) - timedelta.resolution).date() + _DAY
    # Only what reaches into the span: the past may be long.
    newer = StorageDay.objects.filter(session=OuterRef("session"), day__gt=OuterRef("day"), day__lte=begin)
    rows = StorageDay.objects.filter(Q(day__gte=begin) | ~Exists(newer), of, day__lt=end)
    found = rows.order_by("session", "day").values_list("session_id", whose, "day", "most", "last")
    for (session, who, day, most, last), following in pairwise([*found, None]):
        assert day is not None
        over = following[2] if following and following[0] == session else end
        for first, stop, taken in ((day, day + _DAY, most), (day + _DAY, over, last)):
            stretch = _Stretch(who, max(first, begin), min(stop, end), taken)
            if taken and stretch.first < stretch.end:
                yield stretch


def _sums(stretches: Iterable[_Stretch]) -> dict[uuid.UUID, int]:
    sums: dict[uuid.UUID, int] = defaultdict(int)
    for whose, first, end, taken in stretches:
        sums[whose] += taken * (end - first).days
    return dict(sums)


def _miss(session: Session) -> None:
    """Each miss in a row doubles the passes until the next try, which may take long to tell nothing."""
    misses = session.disk_misses + 1
    rests = min(2**misses, _MOST_RESTS)
    Session.objects.filter(pk=session.pk).update(disk_misses=min(misses, _MOST_RESTS), disk_rests=rests)


@transaction.atomic
def _note(session: Session, taken: int, limit: int | None, *, is_settled: bool, now: datetime) -> None:
    """`session` is as it was before somebody looked: what it did since is looked at again."""
    Session.objects.hold(session.pk)
    known: dict[str, object] = {"disk_bytes": taken, "disk_limit_bytes": limit, "disk_measured_at": now}
    known |= {"disk_misses": 0, "disk_rests": 0}
    if is_settled:
        known["disk_generation"] = session.generation
    if Session.objects.filter(pk=session.pk, purge_begun_at=None).update(**known):
        _keep(session, day=now.date(), most=taken, last=taken)
        if (session.disk_bytes, session.disk_limit_bytes) != (taken, limit):
            state.bump_quietly(session.pk)


def _keep(session: Session, *, day: date, most: int, last: int) -> None:
    """With the session held: the most of a day only grows."""
    row = StorageDay.objects.filter(session=session, day=day).first()
    if row is None:
        row = StorageDay(session=session, owner_id=session.owner_id, day=day, most=most)
    row.most, row.last = max(row.most, most), last
    row.save()
