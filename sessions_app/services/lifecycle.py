"""What an instance's readiness and end mean for its session: prompts, permissions, the log, the next one."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Literal

from django.db import transaction
from django.utils import timezone

from openagent.lib import log
from sessions_app import jobs
from sessions_app.models import Instance, InstanceState, Prompt, PromptState, Session, Terminal
from sessions_app.models.instance import LIVE_STATES
from sessions_app.services import (
    budgets,
    commands,
    egress,
    events,
    instances,
    permissions,
    places,
    prompts,
    stages,
    state,
    terminals,
)
from sidecar.protocol import messages

_log = log.get(__name__)


def on_ready(*, instance: Instance) -> None:
    """The agent answers: prompts may go."""
    moved = Instance.objects.filter(pk=instance.pk, state__in=instances.STARTABLE).update(
        state=InstanceState.READY, ready_at=timezone.now()
    )
    if moved:
        stages.add(instance.pk, "ready")
        prompts.dispatch(session_id=instance.session_id)
        terminals.dispatch(session_id=instance.session_id)
        # Others may have waited for its start to be over.
        instances.call(*places.next_in_line())
        # Until it was linked nobody knew whether it can be told anything.
        egress.tell(Instance.objects.filter(pk=instance.pk))


@transaction.atomic
def on_command_done(*, instance_id: uuid.UUID, number: int, error: str) -> None:
    """The sidecar settled its commands up to `number`. A turn that it refused to begin did not happen."""
    session_id = Instance.objects.values_list("session_id", flat=True).get(pk=instance_id)
    Session.objects.hold(session_id)
    refused = commands.done(instance_id=instance_id, number=number, error=error)
    if refused is None:
        return
    _log.warning("command refused", verb=refused.verb, reason=error[:200])
    if refused.verb == "turn.start":
        prompts.on_refused(session_id=session_id, turn=uuid.UUID(refused.data["turn"]), reason=error)
        state.bump(session_id)
    elif refused.verb in ("terminal.open", "terminal.open_agent"):
        terminals.on_refused(session_id=session_id, terminal_id=refused.data["terminal"], reason=error)
        state.bump(session_id)


@transaction.atomic
def finish(*, instance_id: uuid.UUID, told: bool) -> bool:
    """The instance ended as it was asked to. Its engine objects are removed next; False when it had ended.

    `told`: its sidecar said so, as its last event. Then everything is in the log: a prompt that it was sent
    but never began is queued again, and waiting prompts wake the next generation. One that ended without a
    word may have journaled more, so the log is told here, and a turn that may have begun is decided after
    salvage.
    """
    instance = _hold(instance_id)
    if instance is None or not _end(instance, InstanceState.STOPPED):
        return False
    stopped = messages.InstanceStopped(reason=instance.stop_reason)
    is_silent = not told and instance.ready_at is not None
    entries = [events.Entry(kind="instance.stopped", data=stopped)] if is_silent else []
    _append_end(instance, entries, why="stopped")
    _continue(instance, may_salvage=not told and instance.first_seq > 0)
    return True


@transaction.atomic
def lose(*, instance_id: uuid.UUID, reason: str, message: str) -> bool:
    """The instance is gone without having been asked to go; False when it had ended before.

    In one transaction: its generation is fenced off, the log says so, the open turn is interrupted if it had
    begun, and what waited for a person is closed. A turn that may have begun is decided after salvage.
    """
    instance = _hold(instance_id)
    if instance is None or not _end(instance, InstanceState.LOST, reason, message):
        return False
    _log.warning("instance lost", instance_id=str(instance_id), reason=reason)
    lost = events.Entry(kind="instance.lost", data=messages.InstanceLost(reason=reason, message=message))
    _append_end(instance, [lost], why="lost")
    _continue(instance, may_salvage=instance.first_seq > 0)
    return True


def remove_now(*, instance_id: uuid.UUID) -> None:
    """An administrator wants it gone, whatever it does: it is lost, and what waits gets the next one."""
    if not lose(instance_id=instance_id, reason="removed", message="An administrator removed its box"):
        jobs.retire_instance(instance_id)


def retire(*, instance_id: uuid.UUID) -> None:
    """Removes an instance that should be gone, and ends it if it has not ended. May raise DriverError.

    One that is removed and has not ended was left by somebody who was killed in between.
    """
    instance = Instance.objects.filter(pk=instance_id).first()
    if instance is None or (instance.is_live and instance.state != InstanceState.STOPPING):
        return
    if instance.removed_at is None:
        instances.remove(instance)
    if instance.is_live:
        finish(instance_id=instance_id, told=False)


def settle(*, session_id: uuid.UUID, successor_id: uuid.UUID) -> None:
    """After all salvage and before the successor's first number: closes what earlier instances left open.

    Salvage tells of turns that were ended here, in the name of an instance that could not: what it tells of
    them may have opened something anew, so they are ended again, and the last end counts.
    """
    orphan = prompts.settle_orphan(session_id=session_id, successor_id=successor_id)
    entries = [_lost(*asked) for asked in permissions.close_told_late(session_id=session_id)]
    turns = events.told_after_end(session_id=session_id)
    if orphan is not None and orphan not in turns:
        turns.append(orphan)
    for turn in turns:
        ended = messages.TurnEnded(stop_reason="interrupted")
        entries.append(events.Entry(kind="turn.ended", data=ended, turn=turn))
        prompts.on_ended(session_id=session_id, turn=turn, data=ended)
    if entries:
        events.append(session_id=session_id, entries=entries)


def _hold(instance_id: uuid.UUID) -> Instance | None:
    """The instance if it is live, with its session held: what it says now comes before its end, or never."""
    session_id = Instance.objects.filter(pk=instance_id).values_list("session_id", flat=True).first()
    if session_id is None or not Session.objects.hold(session_id):
        return None
    return Instance.objects.filter(pk=instance_id, state__in=LIVE_STATES).first()


def _end(instance: Instance, state: InstanceState, code: str = "", message: str = "") -> bool:
    last_seq = Session.objects.values_list("last_seq", flat=True).get(pk=instance.session_id)
    moved = Instance.objects.filter(pk=instance.pk, state__in=LIVE_STATES).update(
        state=state,
        ended_at=timezone.now(),
        error_code=code,
        error_message=message,
        stored_seq=last_seq,
        silent_passes=0,
    )
    return bool(moved)


def _append_end(instance: Instance, entries: list[events.Entry], *, why: Literal["stopped", "lost"]) -> None:
    """Fences the generation off and closes in the log what it leaves open."""
    session_id = instance.session_id
    running = Prompt.objects.filter(session_id=session_id, state=PromptState.RUNNING).first()
    closed = [
        *permissions.lose(session_id=session_id),
        *permissions.lose_undelivered(instance_id=instance.pk),
    ]
    entries += terminals.end_with(instance, reason=why)
    entries += [_lost(*asked) for asked in closed]
    if running is not None:
        ended = messages.TurnEnded(stop_reason="interrupted")
        entries.append(events.Entry(kind="turn.ended", data=ended, turn=running.pk))
        prompts.on_ended(session_id=session_id, turn=running.pk, data=ended)
    last_seq = events.append(session_id=session_id, entries=entries, new_generation=True)
    Instance.objects.filter(pk=instance.pk).update(stored_seq=last_seq)


def _lost(permission_id: uuid.UUID, turn: uuid.UUID | None) -> events.Entry:
    data = messages.PermissionAnswered(permission_id=str(permission_id), choice="lost", by="platform")
    return events.Entry(kind="permission.answered", data=data, turn=turn)


def _continue(instance: Instance, *, may_salvage: bool) -> None:
    """Looks for waiting prompts. Where salvage may still say that a turn began, its prompt waits for that."""
    session_id = instance.session_id
    if not may_salvage:
        prompts.requeue(session_id=session_id)
    state.bump(session_id)
    transaction.on_commit(partial(jobs.retire_instance, instance.pk))
    if wants_instance(session_id):
        instances.wake(session_id=session_id)
        terminals.dispatch(session_id=session_id)


def wants_instance(session_id: uuid.UUID) -> bool:
    """True when prompts or terminals wait, for no budget, and the user did not stop the session."""
    if not Session.objects.present().filter(pk=session_id, is_paused=False).exists():
        return False
    waiting = Prompt.objects.waiting().filter(session_id=session_id)
    if waiting.exists() and not budgets.refusal(Session.objects.get(pk=session_id)):
        return True
    return Terminal.objects.waiting().filter(session_id=session_id).exists()
