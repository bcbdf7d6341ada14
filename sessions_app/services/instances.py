"""The life of instances as seen from here: ask for one, have the driver make it, stop it, remove it.

The only module that calls drivers. What readiness and ends mean for prompts and permissions is `lifecycle`.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from openagent.lib import log
from sessions_app import jobs
from sessions_app.drivers import base, get_driver
from sessions_app.models import Instance, InstanceState, PoolMember, Session, Terminal, TerminalState
from sessions_app.models.instance import LIVE_STATES, InstanceQuerySet
from sessions_app.models.session import ACTIVE
from sessions_app.services import commands, egress, facts, orders, places, pool, specs, stages, state
from sidecar.protocol import frames

_log = log.get(__name__)

CREATE_PASSES = 4
"""Passes of the reconciler after which nobody can be making an instance any more."""

STARTABLE = (InstanceState.REQUESTED, InstanceState.STARTING)


@transaction.atomic
def wake(*, session_id: uuid.UUID) -> Instance | None:
    """Asks for an instance unless one is live; the new one, or None when there was nothing to do.

    One of the pool is there at once.

    Nothing is done for an owner who may not sign in any more, or while the hours of its budgets are used up.
    """
    Session.objects.hold(session_id)
    session = Session.objects.present().filter(pk=session_id, owner__is_active=True).first()
    if session is None or Instance.objects.live().filter(session_id=session_id).exists():
        return None
    if places.is_out_of_time(session):
        return None
    reach = egress.of(session)
    values = {"generation": session.generation, "driver": settings.OPENAGENT_DRIVER}
    try:
        with transaction.atomic():
            instance = Instance(session=session, egress=egress.plain(reach), **values)
            is_made = not places.is_full_for(instance) and pool.claim(instance)
            instance.save(force_insert=True)
    except IntegrityError:  # somebody else was quicker
        return None
    Session.objects.filter(pk=session_id).update(is_paused=False, kept_until=None, **ACTIVE)
    commands.give(instance_id=instance.pk, order=orders.claim(session, reach))
    stages.add(instance.pk, "requested")
    state.bump(session_id)
    if is_made:
        for reached in pool.STAGES:
            stages.add(instance.pk, reached)
    else:
        transaction.on_commit(partial(jobs.launch_instance, instance.pk))
    return instance


def launch(*, instance_id: uuid.UUID, again: bool = False) -> None:
    """Has the driver make a requested instance; safe to repeat and to run twice.

    1. Remove what earlier generations left: only then may this one exist.
    2. Claim it: whoever finds that somebody makes it at this moment leaves them to it, and does not wait for
       them. `again` is for when they may have died over it. One that finds no place waits for one.
    3. Create it, idempotent by its id.
    4. A lasting failure ends it as failed; a passing one is left to the reconciler's next pass.
    5. If it was ended meanwhile, remove it again.

    Does nothing while the platform stops: it would only be killed, and the next run makes it.
    """
    if settings.OPENAGENT_STOPPING_FILE.exists():
        return
    unmade = Instance.objects.filter(pk=instance_id, state__in=STARTABLE, driver_ref__isnull=True)
    if not again:
        unmade = unmade.filter(launched_at=None)
    instance = unmade.select_related("session").first()
    if instance is None:
        return
    is_ours = False
    with log.context(session=instance.session_id, instance=instance_id):
        try:
            older = Instance.objects.unremoved().filter(session_id=instance.session_id)
            for left in older.exclude(pk=instance_id):
                remove(left)
            is_ours = _take(instance, unmade)
            if not is_ours:
                return
            # Making it may take long: who watches sees that it is under way.
            state.bump(instance.session_id)
            session = instance.session
            spec = specs.make(instance_id, session.volume, session.agent, is_used=_is_used(session))
            ref = get_driver().create(spec, partial(stages.add, instance_id))
        except base.DriverError as error:
            _log.warning("instance could not be made", code=error.code, permanent=error.permanent)
            if is_ours:
                # What failed left nothing behind, and nobody makes it now.
                Instance.objects.filter(pk=instance_id, driver_ref__isnull=True).update(launched_at=None)
            if error.permanent:
                fail(instance_id=instance_id, code=error.code, message=error.message)
            return
        Instance.objects.filter(pk=instance_id).update(driver_ref=ref)
        stages.add(instance_id, "created")
        if Instance.objects.filter(pk=instance_id, state__in=(*STARTABLE, InstanceState.READY)).exists():
            state.bump(instance.session_id)
        else:
            Instance.objects.filter(pk=instance_id).update(removed_at=None)
            jobs.retire_instance(instance_id)


def forget_makers() -> None:
    """Whoever makes instances has just begun to run: what a predecessor was making, nobody makes any more.

    There is one of them at a time. Were there two, what they make twice would still be made once.
    """
    left = Instance.objects.filter(state__in=LIVE_STATES, driver_ref__isnull=True)
    left.exclude(launched_at=None).update(launched_at=None)


def _take(instance: Instance, unmade: InstanceQuerySet) -> bool:
    """Claims it, and a place for it; whether there was one, and nobody else makes it."""
    starting = Instance.objects.filter(pk=instance.pk, state=InstanceState.STARTING)
    if places.is_full_for(instance) or not places.has_turn(instance):
        # One that an engine failed to make had a place, which somebody else may have now.
        starting.filter(launched_at=None).update(state=InstanceState.REQUESTED)
    else:
        instance.launched_at = timezone.now()
        if not unmade.update(state=InstanceState.STARTING, launched_at=instance.launched_at):
            return False
        if not places.is_full_for(instance) and places.has_turn(instance):
            return True
        # Somebody has taken the last one at the same moment.
        starting.update(state=InstanceState.REQUESTED, launched_at=None)
    stages.add(instance.pk, places.STAGE)
    return False


def remove(instance: Instance) -> None:
    """Removes the engine's objects of an ended instance. DriverError when they may still be there.

    One that is being made at this moment has no reference yet: whoever makes it removes it, and only if that
    does not happen (the worker died) is its absence from the engine's list believed.
    """
    ref = instance.driver_ref
    if ref is None and instance.launched_at is not None:
        ref = find_ref(instance.pk)
        if ref is None and instance.silent_passes < CREATE_PASSES:
            raise base.DriverError("It is still being made.", code="in_flight", permanent=False)
    if ref is not None:
        get_driver().remove(ref)
    Instance.objects.filter(pk=instance.pk).update(removed_at=timezone.now())
    if instance.ready_at is not None:
        jobs.measure_disk(instance.session_id)
    # The launch of its successor may have found us in its way; others may have waited for our place.
    requested = Instance.objects.filter(session_id=instance.session_id, state=InstanceState.REQUESTED)
    call(*requested.values_list("pk", flat=True), *places.next_in_line())


def call(*waiting: uuid.UUID) -> None:
    """Has these try again to be made."""
    for instance_id in dict.fromkeys(waiting):
        jobs.launch_instance(instance_id)


def adopt(instance: Instance) -> bool:
    """Takes up one that was made by somebody who died before they could say so; whether the engine has it."""
    instance.driver_ref = find_ref(instance.pk)
    Instance.objects.filter(pk=instance.pk, driver_ref__isnull=True).update(driver_ref=instance.driver_ref)
    return instance.driver_ref is not None


def find_ref(instance_id: uuid.UUID) -> base.Ref | None:
    """The engine's reference to what was made under this id, if it has it."""
    return next((ref for ref in list_refs() if ref["instance_id"] == str(instance_id)), None)


def make_member(member: PoolMember) -> base.Ref:
    """Has the driver make one of the pool. DriverError."""
    return get_driver().create(specs.make(member.pk, member.volume, member.agent))


def inspect_ref(ref: base.Ref) -> base.InstanceState:
    """What the engine says of this. DriverError when it says nothing."""
    return get_driver().inspect(ref)


def ours() -> InstanceQuerySet:
    """The instances of the driver that this platform uses now."""
    return Instance.objects.filter(driver=get_driver().name)


def list_refs() -> list[dict[str, Any]]:
    """What the engine has of ours, whether or not a row wants it; each has its `instance_id`."""
    return get_driver().list()


def remove_ref(ref: dict[str, Any]) -> None:
    """Removes something that no row wants. DriverError when it may still be there."""
    get_driver().remove(ref)


def disk_of(session: Session) -> tuple[int | None, int | None]:
    """What a session's disk takes, and what it can take at most, in bytes; None where that cannot be told.

    Counting it may take a while. DriverError.
    """
    driver = get_driver()
    return driver.volume_bytes(session.volume), driver.volume_limit(session.volume)


def remove_volume(volume: str) -> None:
    """Deletes a session's disk for ever. DriverError when something of it may still be there."""
    get_driver().remove_volume(volume)


def note_isolation() -> None:
    """Remembers what holds boxes here, for those who may not ask the engine. DriverError."""
    try:
        facts.remember(get_driver().isolation())
    except base.DriverError as error:
        facts.remember_failure(error.code)
        raise


def inspect(instance: Instance) -> base.InstanceState:
    """What the engine says of it. DriverError when it says nothing."""
    return inspect_ref(instance.driver_ref or {})


def logs(instance: Instance, lines: int) -> str:
    """The last lines of each half; empty when there is none. DriverError."""
    return get_driver().logs(instance.driver_ref or {"instance_id": str(instance.pk)}, lines)


@transaction.atomic
def stop(*, session_id: uuid.UUID, reason: str) -> None:
    """Asks the live instance to flush and end; `reason` is that of `instance.stopped`. Idempotent."""
    Session.objects.hold(session_id)
    if reason == "user":
        Session.objects.filter(pk=session_id).update(is_paused=True)
    awake = Instance.objects.live().exclude(state=InstanceState.STOPPING).filter(session_id=session_id)
    while instance := awake.first():
        moved = Instance.objects.filter(pk=instance.pk, state=instance.state).update(
            state=InstanceState.STOPPING, stop_reason=reason, silent_passes=0
        )
        if not moved:  # it got further between our look and our update
            continue
        commands.give(instance_id=instance.pk, order=frames.InstanceStop(reason=reason))
        state.bump(session_id)
        if instance.state in STARTABLE:
            # Nothing runs in it yet that would be worth waiting for.
            transaction.on_commit(partial(jobs.retire_instance, instance.pk))


@transaction.atomic
def fail(*, instance_id: uuid.UUID, code: str, message: str) -> None:
    """It could not be made or did not start: shown to the user; nothing wakes the session until they act.

    One that got ready at the last moment has not failed.
    """
    unready = Instance.objects.filter(pk=instance_id, state__in=LIVE_STATES, ready_at=None)
    instance = unready.first()
    if instance is None or not Session.objects.hold(instance.session_id):
        return
    moved = unready.update(
        state=InstanceState.FAILED, error_code=code, error_message=message, ended_at=timezone.now()
    )
    if moved:
        Session.objects.filter(pk=instance.session_id).update(generation=F("generation") + 1, is_paused=True)
        Terminal.objects.unclosed().filter(session=instance.session_id).update(
            state=TerminalState.CLOSED, reason="failed", message=message, closed_at=timezone.now()
        )
        state.bump(instance.session_id)


def _is_used(session: Session) -> bool:
    """Whether anybody can have left something on its disk, where this platform's driver has it."""
    return ours().filter(session=session, ready_at__isnull=False).exists()
