"""How many instances may be live or start at once, of one user and in all: who has to wait, who is next."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db.models import Count, QuerySet

from sessions_app.models import Host, Instance, InstanceState, Session
from sessions_app.services import budgets

STAGE = "waiting"
"""The start-up stage of an instance that found no place."""
HELD_PASSES = 4
"""Passes of the reconciler after which a start holds up nobody any more: it may never get ready."""
_CALLED = 4
"""How many of those that wait are called when a place gets free; whoever finds none goes on waiting."""


def is_full_for(instance: Instance) -> str:
    """What has no place for it: `host` (it is drained), `user` (its owner has as many as one may), `all`, or
    nothing.

    A place is taken by launching. Of two that take the last one at the same moment each sees the other and
    gives it back; the reconciler, who tries one after the other, gives it to one of them.
    """
    if is_drained():
        return "host"
    taken = Instance.objects.live().exclude(pk=instance.pk).exclude(launched_at=None)
    of_owner = taken.filter(session__owner=instance.session.owner_id)
    if of_owner.count() >= settings.OPENAGENT_LIVE_SESSIONS_PER_USER:
        return "user"
    if budgets.has_no_place(instance.session, taken=taken.values_list("session", flat=True)):
        return "user"
    return "all" if taken.count() >= settings.OPENAGENT_LIVE_SESSIONS else ""


def is_drained() -> bool:
    """Whether nothing may start on this platform's host."""
    return Host.objects.filter(driver=settings.OPENAGENT_DRIVER, drained_at__isnull=False).exists()


def has_turn(instance: Instance) -> bool:
    """Whether it may start beside those that start now: with too many at once none would be ready in time.

    From a place taken to readiness. Of those that take a turn at the same moment the later ones give it back.
    One owner's starts leave a turn for others: a box may be slow on purpose.
    """
    before = _starts().exclude(pk=instance.pk)
    if instance.launched_at is not None:
        before = before.filter(launched_at__lt=instance.launched_at)
    of_owner = before.filter(session__owner=instance.session.owner_id)
    most = settings.OPENAGENT_CONCURRENT_STARTS
    return before.count() < most and of_owner.count() < max(1, most - 1)


def is_out_of_time(session: Session) -> bool:
    """Whether none of this session may live now: the hours of a budget that binds it are used up."""
    return budgets.out_of_time(session)


def is_waiting(instance: Instance) -> bool:
    """Whether it found no place when somebody last tried to make it."""
    is_unmade = instance.state == InstanceState.REQUESTED and instance.launched_at is None
    return is_unmade and any(stage["name"] == STAGE for stage in instance.stages)


def will_be_free(instance: Instance, *, of_owner: bool) -> bool:
    """Whether those that stop already leave a place for each that waits, among the owner's own or all."""
    among = (
        Instance.objects.filter(session__owner=instance.session.owner_id) if of_owner else Instance.objects
    )
    leaving = among.filter(state=InstanceState.STOPPING).exclude(launched_at=None)
    waiting = among.filter(state=InstanceState.REQUESTED, launched_at=None)
    if not of_owner:
        waiting = _but_of_full_owners(waiting)
    return leaving.count() >= waiting.count()


def next_in_line() -> list[uuid.UUID]:
    """Those that have waited longest to be made, of owners who may have one more."""
    unmade = _but_of_full_owners(Instance.objects.filter(state=InstanceState.REQUESTED, launched_at=None))
    unmade = _but_of(unmade, _starts(), most=max(1, settings.OPENAGENT_CONCURRENT_STARTS - 1))
    return list(unmade.order_by("requested_at").values_list("pk", flat=True)[:_CALLED])


def _starts() -> QuerySet[Instance]:
    """Those that are on their way from a place taken to readiness."""
    starting = Instance.objects.filter(state=InstanceState.STARTING, silent_passes__lt=HELD_PASSES)
    return starting.exclude(launched_at=None)


def _but_of_full_owners(waiting: QuerySet[Instance]) -> QuerySet[Instance]:
    """Whose owner has as many as one may waits for one of them, not for any."""
    live = Instance.objects.live().exclude(launched_at=None)
    return _but_of(waiting, live, most=settings.OPENAGENT_LIVE_SESSIONS_PER_USER)


def _but_of(waiting: QuerySet[Instance], taken: QuerySet[Instance], *, most: int) -> QuerySet[Instance]:
    """Without those whose owner has as many of `taken`."""
    owners = taken.values("session__owner").annotate(n=Count("pk")).filter(n__gte=most)
    return waiting.exclude(session__owner__in=owners.values("session__owner"))
