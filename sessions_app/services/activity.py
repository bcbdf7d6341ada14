"""Idleness, counted in passes of the reaper: what keeps an instance alive, and who is put to sleep."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.query import QuerySet

from sessions_app.models import Instance, InstanceState, Permission, PermissionState, Prompt, Session
from sessions_app.services import instances, places


def touch(*, session_id: uuid.UUID) -> None:
    """Somebody does something with this session."""
    Session.objects.filter(id=session_id).exclude(idle_passes=0).update(idle_passes=0)


def reap() -> int:
    """One pass over the ready sessions; how many were put to sleep.

    1. Sessions in which something goes on start counting anew, the others count one pass more.
    2. Whoever reached the limit is stopped, if the same test still holds in the same transaction: a prompt
       that lands at this moment either prevents the stop or finds it and wakes the next generation.
    """
    limit = _limit()
    ready = _ready()
    # One by one: who changes many rows at once may wait for somebody who waits for them.
    for session_id in list(ready.exclude(pk__in=_quiet(ready).values("pk")).values_list("pk", flat=True)):
        touch(session_id=session_id)
    for session_id in list(_quiet(ready).values_list("pk", flat=True)):
        _quiet(ready.filter(pk=session_id)).update(idle_passes=F("idle_passes") + 1)
    reaped = 0
    for session_id in ready.filter(idle_passes__gte=limit).values_list("pk", flat=True):
        reaped += _put_to_sleep(session_id, limit)
    return reaped


def make_room(*, instance: Instance) -> None:
    """Puts the session to sleep that has been idle longest, before its time, if this instance has no place.

    Of the owner's own, if they have as many as one may; only what has been idle for a third of the time, and
    nobody while as many leave already as wait.
    """
    full = places.is_full_for(instance)
    if not full or places.will_be_free(instance, of_owner=full == "user"):
        return
    least = max(1, _limit() // 3)
    ready = _ready().filter(idle_passes__gte=least).order_by("-idle_passes", "updated_at")
    if full == "user":
        ready = ready.filter(owner=instance.session.owner_id)
    longest = _quiet(ready).values_list("pk", flat=True).first()
    if longest is not None:
        _put_to_sleep(longest, least)


def _put_to_sleep(session_id: uuid.UUID, limit: int) -> bool:
    with transaction.atomic():
        still_idle = Session.objects.filter(pk=session_id, idle_passes__gte=limit)
        if not _quiet(still_idle).update(idle_passes=0):
            return False
        instances.stop(session_id=session_id, reason="idle")
        return True


def _limit() -> int:
    """Passes after which a session is put to sleep."""
    return max(1, round(settings.OPENAGENT_IDLE_SECONDS / settings.OPENAGENT_IDLE_PASS_SECONDS))


def _ready() -> QuerySet[Session]:
    return Session.objects.filter(
        Exists(Instance.objects.filter(session=OuterRef("pk"), state=InstanceState.READY))
    )


def _quiet(sessions: QuerySet[Session]) -> QuerySet[Session]:
    """Of `sessions`, those in which nothing runs, waits or asks."""
    unfinished = Prompt.objects.unfinished().order_by().filter(session=OuterRef("pk"))
    asking = Permission.objects.filter(session=OuterRef("pk"), state=PermissionState.PENDING)
    return sessions.filter(~Exists(unfinished), ~Exists(asking))
