"""Idleness, counted in passes of the reaper: what keeps an instance alive, and who is put to sleep."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.query import QuerySet
from django.utils import timezone

from openagent.lib.errors import AppError
from sessions_app.models import Instance, InstanceState, Permission, PermissionState, Prompt, Session
from sessions_app.models.instance import AWAKE_STATES
from sessions_app.models.session import ACTIVE
from sessions_app.services import budget_levels, budgets, commands, instances, places, state
from sidecar.protocol import frames

KEEP_SECONDS = 3600


class Asleep(AppError):
    """There is nothing that could be kept awake."""

    def __init__(self) -> None:
        super().__init__("asleep", "This session is asleep: start it, or send a prompt to wake it.", 409)


def touch(*, session_id: uuid.UUID) -> None:
    """Somebody does something with this session."""
    idle = Session.objects.filter(Q(idle_passes__gt=0) | Q(sleeps_at__isnull=False), pk=session_id)
    if not idle.exists():
        return
    with transaction.atomic():
        Session.objects.hold(session_id)
        is_told_of = idle.filter(sleeps_at__isnull=False).exists()
        if idle.update(**ACTIVE) and is_told_of:
            state.bump_quietly(session_id)


@transaction.atomic
def keep(*, session: Session) -> None:
    """For an hour from now it is not put to sleep for being idle. Asleep when it is, or about to be.

    The hour is a promise to people, so it goes by the clock.
    """
    Session.objects.hold(session.pk)
    if not Instance.objects.filter(session=session, state__in=AWAKE_STATES).exists():
        raise Asleep
    until = timezone.now() + timedelta(seconds=KEEP_SECONDS)
    Session.objects.filter(pk=session.pk).update(kept_until=until, **ACTIVE)
    state.bump(session.pk)


@transaction.atomic
def let_sleep(*, session: Session) -> None:
    """From now on it is idle, and put to sleep, as others are; harmless if it was not kept."""
    Session.objects.hold(session.pk)
    if Session.objects.filter(pk=session.pk).exclude(kept_until=None).update(kept_until=None):
        state.bump(session.pk)


def reap() -> int:
    """One pass over the ready sessions; how many were put to sleep.

    1. Sessions in which something goes on start counting anew, the others count one pass more, and in the
       last third of the time people are told when it is over.
    2. In those that have been idle for the shorter time of dozing, the agent alone is told to rest.
    3. Whoever reached the limit is stopped, if the same test still holds in the same transaction: a prompt
       that lands at this moment either prevents the stop or finds it and wakes the next generation.
    4. So is whoever used up the hours of a budget.
    5. Whoever a budget binds hears how far it is used up, should nobody have told them.
    """
    limit = _limit()
    ready = _ready()
    held = _held(ready)
    # One by one: who changes many rows at once may wait for somebody who waits for them.
    quiet = _quiet(ready, held)
    for session_id in list(ready.exclude(pk__in=quiet.values("pk")).values_list("pk", flat=True)):
        touch(session_id=session_id)
    for session_id in list(quiet.values_list("pk", flat=True)):
        _quiet(ready.filter(pk=session_id), held).update(idle_passes=F("idle_passes") + 1)
    _announce(ready, limit)
    _doze(ready, held)
    reaped = 0
    for session_id in ready.filter(idle_passes__gte=limit).values_list("pk", flat=True):
        reaped += _put_to_sleep(session_id, limit, held)
    for session_id in budgets.live_without_time():
        instances.stop(session_id=session_id, reason="budget")
    budget_levels.look_at_all()
    return reaped


def make_room(*, instance: Instance) -> bool:
    """Puts the session to sleep that has been idle longest, before its time, if this instance has no place.

    Whether it has none.
    Of the owner's own, if they have as many as one may; only what has been idle for a third of the time, and
    nobody while as many leave already as wait.
    """
    full = places.is_full_for(instance)
    if not full:
        return False
    if full == "host" or places.will_be_free(instance, of_owner=full == "user"):
        return True
    least = _third(_limit())
    ready = _ready().filter(idle_passes__gte=least).order_by("-idle_passes", "updated_at")
    if full == "user":
        ready = ready.filter(owner=instance.session.owner_id)
    held = _held(ready)
    longest = _quiet(ready, held).values_list("pk", flat=True).first()
    if longest is not None:
        _put_to_sleep(longest, least, held)
    return True


def _announce(ready: QuerySet[Session], limit: int) -> None:
    near = ready.filter(sleeps_at=None, idle_passes__gte=limit - _third(limit), idle_passes__lt=limit)
    for session_id, passes in near.values_list("pk", "idle_passes"):
        left = (limit - passes) * settings.OPENAGENT_IDLE_PASS_SECONDS
        with transaction.atomic():
            same = Session.objects.filter(pk=session_id, idle_passes=passes)
            if same.update(sleeps_at=timezone.now() + timedelta(seconds=left)):
                state.bump_quietly(session_id)


def _doze(ready: QuerySet[Session], held: Collection[uuid.UUID]) -> None:
    """Once in each time of idleness. Its sidecar lets the agent work on if a prompt comes first."""
    if not settings.OPENAGENT_DOZE_SECONDS:
        return
    passes = max(1, round(settings.OPENAGENT_DOZE_SECONDS / settings.OPENAGENT_IDLE_PASS_SECONDS))
    # Whoever asks in vain since yesterday may still be answered.
    idle = _quiet(ready.filter(idle_passes=passes), held).filter(_nothing_open(held))
    for session_id in list(idle.values_list("pk", flat=True)):
        with transaction.atomic():
            Session.objects.hold(session_id)
            if idle.filter(pk=session_id).exists():
                _let_rest(session_id)


def _let_rest(session_id: uuid.UUID) -> None:
    works = Instance.objects.filter(session=session_id, state=InstanceState.READY, agent_rests=False)
    for instance in works.filter(link_version__gte=frames.REST_VERSION):
        commands.give(instance_id=instance.pk, order=frames.AgentRest())


def _put_to_sleep(session_id: uuid.UUID, limit: int, held: Collection[uuid.UUID]) -> bool:
    with transaction.atomic():
        still_idle = Session.objects.filter(pk=session_id, idle_passes__gte=limit)
        if not _quiet(still_idle, held).update(**ACTIVE):
            return False
        instances.stop(session_id=session_id, reason="idle")
        return True


def _limit() -> int:
    """Passes after which a session is put to sleep."""
    return max(1, round(settings.OPENAGENT_IDLE_SECONDS / settings.OPENAGENT_IDLE_PASS_SECONDS))


def _third(limit: int) -> int:
    return max(1, limit // 3)


def _ready() -> QuerySet[Session]:
    return Session.objects.filter(
        Exists(Instance.objects.filter(session=OuterRef("pk"), state=InstanceState.READY))
    )


def _held(ready: QuerySet[Session]) -> list[uuid.UUID]:
    """Those with prompts that wait for a budget, and would wait as well while they sleep."""
    waiting = Prompt.objects.queued().due().filter(session=OuterRef("pk")).order_by()
    return [session.pk for session in ready.filter(Exists(waiting)) if budgets.refusal(session)]


def _quiet(sessions: QuerySet[Session], held: Collection[uuid.UUID]) -> QuerySet[Session]:
    """Of `sessions`, those in which nothing runs, waits or asks, and that nobody wants to be kept awake.

    A turn that has asked in vain for very long, a day by the clock of those who did not answer, runs no more:
    its agent waits. Not if anything younger was asked or answered meanwhile.
    """
    now = timezone.now()
    long_ago = now - timedelta(seconds=settings.OPENAGENT_ASKING_SECONDS)
    permissions = Permission.objects.filter(session=OuterRef("pk"))
    younger = permissions.filter(Q(asked_at__gt=long_ago) | Q(answered_at__gt=long_ago))
    asks_in_vain = Q(_asking(), ~Exists(younger))
    return sessions.filter(_nothing_open(held) | asks_in_vain).exclude(kept_until__gt=now)


def _nothing_open(held: Collection[uuid.UUID]) -> Q:
    """No turn runs or may run by now, and no person is asked; in those `held` only what runs counts."""
    of_session = Prompt.objects.filter(session=OuterRef("pk")).order_by()
    unfinished, running = of_session.unfinished().due().order_by(), of_session.open()
    return Q(Q(~Exists(unfinished)) | Q(~Exists(running), pk__in=held), ~_asking())


def _asking() -> Exists:
    return Exists(Permission.objects.filter(session=OuterRef("pk"), state=PermissionState.PENDING))
