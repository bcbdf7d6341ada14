"""Keeps the pool filled: makes members, notices those that died or are not wanted any more, removes them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import F, QuerySet

from openagent.lib import log
from sessions_app import jobs
from sessions_app.drivers.base import DriverError, InstanceState
from sessions_app.models import Instance, PoolMember, PoolState
from sessions_app.services import agents, facts, instances, places, pool, registries

_log = log.get(__name__)

CREATE_PASSES = 4
"""Passes after which nobody can be making a member any more."""
START_PASSES = 8
"""Passes (of 15 s) that a member may take to get ready."""
LINKLESS_PASSES = 4
"""Passes without a link after which a member is replaced: whoever claimed it would wait."""
PAUSE_PASSES = 20
"""Passes before another is made in the place of one that failed."""

_LIMITS = (
    "OPENAGENT_BOX_MEMORY_MB",
    "OPENAGENT_BOX_PROCESSES",
    "OPENAGENT_BOX_TMP_MB",
    "OPENAGENT_SIDECAR_MEMORY_MB",
    "OPENAGENT_PROVIDER_SILENCE_SECONDS",
)

_tending = threading.Lock()
_again = threading.Event()


def tend(*, counts: bool = True) -> None:
    """One pass. Nothing while the platform stops, or before anybody knows what holds boxes here.

    Those of the reconciler come every 15 s and are counted; what is done out of turn is not.

    1. Let go of what is dead, unreachable, made for something that is not wanted any more, or too much.
    2. Remove what leaves, with its disk.
    3. Make one that is missing, and ask for another pass if there are more.
    """
    if not _tending.acquire(blocking=False):
        _again.set()
        return
    try:
        if not settings.OPENAGENT_STOPPING_FILE.exists() and facts.isolation():
            _tend(_wanted(), counts=counts)
    finally:
        _tending.release()
    if _again.is_set():
        # Somebody found us at work, and what they came for may have come too late for us.
        _again.clear()
        jobs.tend_pool()


def members() -> QuerySet[PoolMember]:
    """Those of the driver that this platform uses now."""
    return PoolMember.objects.filter(driver=settings.OPENAGENT_DRIVER)


def dismiss(member: PoolMember) -> None:
    """Remove it with its disk, unless it was claimed. DriverError when it may still be there."""
    pool.leave(member.pk)
    left = PoolMember.objects.filter(pk=member.pk).first()
    if left is not None:
        _remove(left)


def _wanted() -> dict[str, dict[str, Any]]:
    """By the agents that are kept ready: what a member of each is made for now."""
    wanted: dict[str, dict[str, Any]] = {}
    if places.is_drained():
        return wanted
    # A box is told them when it is made, and never again.
    environment = registries.environment()
    for agent_id, size in pool.sizes().items():
        agent = agents.find(agent_id)
        if size and agent is not None and agent.is_installed:
            offers = msgspec.to_builtins(pool.offers(agent))
            limits = {name: getattr(settings, name) for name in _LIMITS}
            wanted[agent_id] = {
                "offers": offers,
                "place": facts.isolation(),
                "limits": limits,
                "registries": environment,
            }
    return wanted


def _tend(wanted: dict[str, dict[str, Any]], *, counts: bool) -> None:
    ours = members()
    if counts:
        ours.exclude(state=PoolState.LEAVING).update(silent_passes=F("silent_passes") + 1)
    kept = dict.fromkeys(wanted, 0)
    for member in ours.order_by("created_at"):
        with log.context(instance=member.pk):
            _attempt(partial(_look, member, wanted, kept))
    for member in ours.exclude(state__in=pool.WAITING_STATES):
        with log.context(instance=member.pk):
            _attempt(partial(_remove, member))
    missing = [agent for agent, count in kept.items() for _ in range(pool.sizes()[agent] - count)]
    if missing:
        _attempt(partial(_make, missing[0], wanted[missing[0]]))
    if len(missing) > 1:
        jobs.tend_pool()


def _attempt(act: Callable[[], object]) -> None:
    try:
        act()
    except DriverError as error:
        _log.warning("pool: left to the next pass", code=error.code)


def _look(member: PoolMember, wanted: dict[str, dict[str, Any]], kept: dict[str, int]) -> None:
    """Decides whether it stays, and counts it if it holds a place."""
    if member.state == PoolState.LEAVING:
        return
    passes = member.silent_passes
    is_wanted = wanted.get(member.agent) == member.made_for
    if not is_wanted or kept[member.agent] >= pool.sizes()[member.agent]:
        pool.leave(member.pk)
        return
    kept[member.agent] += 1
    if member.state == PoolState.FAILED:
        return
    is_late = member.state == PoolState.STARTING and passes > START_PASSES
    ended = _ending(member, passes)
    if ended is not None or is_late or member.linkless_passes > LINKLESS_PASSES:
        detail = ended.detail if ended else ""
        _log.warning("a member of the pool is replaced", detail=detail[:300], passes=passes)
        # One that was ended from outside, as by a restart of its engine, says nothing about the next one.
        was_killed = ended is not None and ended.exit_code is None and member.driver_ref is not None
        if member.state == PoolState.STARTING and not was_killed:
            pool.leave(member.pk, failed=detail or "It did not get ready in time.")
        else:
            pool.leave(member.pk)
            kept[member.agent] -= 1


def _ending(member: PoolMember, passes: int) -> InstanceState | None:
    """What the engine says of one that is dead; None for one that lives or is being made."""
    ref = member.driver_ref or instances.find_ref(member.pk)
    if ref is None:
        broken_off = InstanceState(alive=False, detail="Its making was broken off.")
        return broken_off if passes > CREATE_PASSES else None
    PoolMember.objects.filter(pk=member.pk, driver_ref__isnull=True).update(driver_ref=ref)
    state = instances.inspect_ref(ref)
    return None if state.alive else state


def _make(agent_id: str, made_for: dict[str, Any]) -> None:
    member = PoolMember.objects.create(agent=agent_id, driver=settings.OPENAGENT_DRIVER, made_for=made_for)
    with log.context(instance=member.pk):
        try:
            ref = instances.make_member(member)
        except DriverError as error:
            _log.warning("a member of the pool could not be made", code=error.code)
            pool.leave(member.pk, failed=error.message)
            if not error.permanent:
                # Another one may be made in the next pass: the pause is over.
                PoolMember.objects.filter(pk=member.pk).update(silent_passes=PAUSE_PASSES)
            return
        if PoolMember.objects.filter(pk=member.pk).update(driver_ref=ref):
            _log.info("a member of the pool was made", agent=agent_id)
        elif not Instance.objects.filter(pk=member.pk).exists():
            # It was dismissed while it was made.
            _clear(member)


def _clear(member: PoolMember) -> None:
    """Leave nothing of it, not even what a making that was broken off had got to."""
    instances.remove_ref({"instance_id": str(member.pk), "volume": member.volume})
    instances.remove_volume(member.volume)


def _remove(member: PoolMember) -> None:
    _clear(member)
    if member.state == PoolState.FAILED and member.silent_passes < PAUSE_PASSES:
        PoolMember.objects.filter(pk=member.pk).update(driver_ref=None)
        return
    PoolMember.objects.filter(pk=member.pk).delete()
