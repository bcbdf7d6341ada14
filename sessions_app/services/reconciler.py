"""Compares what the driver has with what the rows want, at start and every 15 s, and finishes what is not."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db.models import Exists, F, OuterRef

from openagent.lib import log
from openagent.lib.errors import AppError
from sessions_app.drivers.base import DriverError
from sessions_app.models import Instance, InstanceState, PoolMember, Prompt, Session
from sessions_app.models.instance import LIVE_STATES
from sessions_app.services import (
    activity,
    egress,
    hosts,
    instances,
    lifecycle,
    places,
    pool_tending,
    prompts,
    sessions,
    wakes,
)

_log = log.get(__name__)

START_PASSES = 8
"""Passes (of 15 s) that a start may take before it counts as failed."""
STOP_PASSES = 2
"""Passes that an instance gets to flush before it is removed by force."""
LINKLESS_PASSES = 20
"""Passes (of 15 s) of the sockets' process that a ready instance may be without a link before it is lost.

Sidecars try again within seconds, for ever, so one that does not come for minutes cannot. Whoever would see
the link counts (`links.count_absences`): while no process serves the sockets, or one ends again and again
within a pass, nobody is missed; after a restart all have a whole pass to come back before one is counted.
"""


def reconcile() -> None:
    """One pass.

    1. Remove what the driver has and no row wants.
    2. Stop what runs for those who may not sign in any more; check every live instance: start it, notice its
       death or that nobody can reach it, hurry its end.
    3. Remove what ended instances left.
    4. Wake sessions whose prompts wait for nobody.
    5. Tell boxes what they may reach, should nobody have told them.
    6. Let go of what runs on a host that is drained, note what holds boxes here, and tend the pool.

    One of them must not cost the others their turn: what an engine cannot do now is left to the next pass,
    and whatever else goes wrong is raised, all of it together, when everybody had their turn.
    """
    pass_ = _Pass()
    pass_.turn(partial(_remove_strangers, pass_))
    inactive = instances.ours().live().filter(session__owner__is_active=False)
    for owner_id in set(inactive.values_list("session__owner", flat=True)):
        pass_.turn(partial(sessions.stop_all_of, owner_id))
    for instance in instances.ours().live().select_related("session"):
        pass_.turn(partial(_check, instance, pass_), instance=instance.pk, session=instance.session_id)
    for instance in instances.ours().unremoved():
        pass_.turn(partial(_attempt_removal, instance), instance=instance.pk, session=instance.session_id)
    for session_id in _waiting():
        pass_.turn(partial(wakes.for_prompts, session_id=session_id), session=session_id)
    pass_.turn(egress.tell_everybody)
    pass_.turn(hosts.attend)
    pass_.turn(instances.note_isolation)
    pass_.turn(pool_tending.tend)
    pass_.end()


class _Pass:
    """Gives everybody a turn, whatever becomes of the others'."""

    def __init__(self) -> None:
        self.without_place: set[uuid.UUID] = set()
        """Owners of whom one instance found no place in this pass: their others are not tried for nothing."""
        self._failures: list[Exception] = []

    def turn(
        self, act: Callable[[], object], *, instance: object = None, session: uuid.UUID | None = None
    ) -> None:
        """Runs one thing of the pass; DriverError and AppError are what may happen, the rest is kept."""
        with log.context(session=session, instance=instance):
            try:
                act()
            except (DriverError, AppError) as error:
                _log.warning("left to the next pass", code=error.code)
            except Exception as error:
                self._failures.append(error)

    def end(self) -> None:
        if self._failures:
            raise ExceptionGroup("a pass of the reconciler", self._failures)


def check(*, instance_id: uuid.UUID) -> None:
    """Looks at one instance out of turn, because its link is gone: if it is dead, it is lost now.

    May raise DriverError, when what ended cannot be removed yet.
    """
    instance = Instance.objects.filter(pk=instance_id, state__in=LIVE_STATES).first()
    if instance is None or _is_being_made(instance) or _is_alive(instance):
        return
    if instance.state == InstanceState.STOPPING:
        lifecycle.retire(instance_id=instance.pk)
    else:
        _died(instance)


def _remove_strangers(pass_: _Pass) -> None:
    """Whatever the driver has that is neither live nor about to be removed by its row."""
    refs = instances.list_refs()
    ids = [ref["instance_id"] for ref in refs]
    # The pool first: one that is claimed in between is an instance then.
    members = PoolMember.objects.filter(pk__in=ids)
    wanted = Instance.objects.filter(removed_at=None, pk__in=ids)
    known = {str(pk) for rows in (members, wanted) for pk in rows.values_list("pk", flat=True)}
    for ref in refs:
        if ref["instance_id"] not in known:
            _log.warning("removing an instance that no row wants", instance_id=ref["instance_id"])
            pass_.turn(partial(instances.remove_ref, ref), instance=ref["instance_id"])


def _check(instance: Instance, pass_: _Pass) -> None:
    if places.is_waiting(instance):
        # However long that takes, it has not failed.
        owner_id = instance.session.owner_id
        if owner_id not in pass_.without_place:
            instances.launch(instance_id=instance.pk)
            if activity.make_room(instance=instance) or not places.has_turn(instance):
                pass_.without_place.add(owner_id)
        return
    Instance.objects.filter(pk=instance.pk).update(silent_passes=F("silent_passes") + 1)
    passes = instance.silent_passes + 1
    if instance.state == InstanceState.STOPPING:
        if passes > STOP_PASSES or not _is_alive(instance):
            lifecycle.retire(instance_id=instance.pk)
    elif _is_being_made(instance):
        if passes > START_PASSES:
            instances.fail(instance_id=instance.pk, code="start_timeout", message=_TOO_SLOW)
        else:
            # Whoever has been making it for this long may have died over it.
            again = passes % instances.CREATE_PASSES == 0
            instances.launch(instance_id=instance.pk, again=again)
    elif not _is_alive(instance):
        _died(instance)
    elif instance.state == InstanceState.STARTING and passes > START_PASSES:
        instances.fail(instance_id=instance.pk, code="start_timeout", message=_TOO_SLOW)
    elif instance.state == InstanceState.READY and instance.linkless_passes > LINKLESS_PASSES:
        lifecycle.lose(instance_id=instance.pk, reason="unreachable", message=_UNREACHABLE)
    elif instance.state == InstanceState.READY:
        prompts.dispatch(session_id=instance.session_id)


def _died(instance: Instance) -> None:
    """Lost, and followed by another if prompts wait; but not a second time in a row before it was ready.

    One that ended because the platform was asked to stop, and had no time to say so, is not called lost.
    """
    if _ended_with_the_platform(instance):
        instances.stop(session_id=instance.session_id, reason="shutdown")
        lifecycle.retire(instance_id=instance.pk)
        return
    message = _detail(instance)
    before = Instance.objects.filter(session_id=instance.session_id, generation=instance.generation - 1)
    if instance.ready_at is None and before.filter(ready_at=None, state=InstanceState.LOST).exists():
        instances.fail(instance_id=instance.pk, code="start_failed", message=message)
    else:
        lifecycle.lose(instance_id=instance.pk, reason="ended", message=message)


def _ended_with_the_platform(instance: Instance) -> bool:
    """Only the words depend on it, so the clock decides."""
    try:
        stopped_at = settings.OPENAGENT_STOPPED_FILE.stat().st_mtime
    except OSError:
        return False
    return bool(stopped_at > (instance.ready_at or instance.requested_at).timestamp())


_TOO_SLOW = "The box or the agent did not start in time; see the platform's log, and start the session again."

_UNREACHABLE = "The box runs, but its sidecar did not reach the platform for minutes"


def _is_being_made(instance: Instance) -> bool:
    """Nobody has said yet that it was made, and it has not got so far that it must have been."""
    return instance.driver_ref is None and instance.state in instances.STARTABLE


def _is_alive(instance: Instance) -> bool:
    """An engine that does not answer says nothing about the instance: it counts as alive until it does."""
    try:
        if instance.driver_ref is None and not instances.adopt(instance):
            return False
        return instances.inspect(instance).alive
    except DriverError as error:
        _log.warning("instance cannot be inspected", code=error.code)
        return True


def _detail(instance: Instance) -> str:
    try:
        return instances.inspect(instance).detail
    except DriverError as error:
        return error.message


def _attempt_removal(instance: Instance) -> None:
    Instance.objects.filter(pk=instance.pk).update(silent_passes=F("silent_passes") + 1)
    instances.remove(instance)


def _waiting() -> list[uuid.UUID]:
    """Sessions whose prompts wait while nothing is live."""
    waiting = Prompt.objects.waiting().filter(session=OuterRef("pk"))
    live = Instance.objects.live().filter(session=OuterRef("pk"))
    idle = Session.objects.present().filter(Exists(waiting), ~Exists(live), is_paused=False)
    return list(idle.values_list("pk", flat=True))
