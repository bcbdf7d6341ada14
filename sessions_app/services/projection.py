"""What an event from a sidecar changes in the rows; runs in the transaction that stores the event."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import cast

from django.db import transaction

from openagent.lib import log
from sessions_app import jobs
from sessions_app.models import Instance
from sessions_app.services import (
    budget_levels,
    lifecycle,
    permissions,
    prompts,
    resumes,
    state,
    terminals,
    usage,
)
from sidecar.protocol import messages

Effect = Callable[[Instance, uuid.UUID | None, messages.Data], None]


def apply(*, instance: Instance, event: messages.Event) -> None:
    """Carries out what `event` means; one without an effect does nothing. Its data was checked before."""
    effect = _EFFECTS.get(event.kind)
    if effect is not None:
        turn = uuid.UUID(event.turn) if event.turn else None
        with log.context(session=instance.session_id, instance=instance.pk, turn=turn):
            effect(instance, turn, messages.check_data(event.kind, event.data))
            # What an agent does by itself is nobody's doing in the session.
            bump = state.bump_quietly if event.kind == "agent.status" else state.bump
            bump(instance.session_id)


def has_effect(kind: str) -> bool:
    """Whether storing an event of this kind changes anything but the log."""
    return kind in _EFFECTS


def _instance_started(instance: Instance, turn: uuid.UUID | None, data: messages.Data) -> None:
    lifecycle.on_ready(instance=instance)


def _instance_stopped(instance: Instance, turn: uuid.UUID | None, data: messages.Data) -> None:
    lifecycle.finish(instance_id=instance.pk, told=True)


def _turn_started(instance: Instance, turn: uuid.UUID | None, data: messages.Data) -> None:
    if turn is not None:
        prompts.on_started(session_id=instance.session_id, turn=turn, instance=instance)


def _turn_ended(instance: Instance, turn: uuid.UUID | None, data: messages.Data) -> None:
    session_id = instance.session_id
    ended = cast(messages.TurnEnded, data)
    # One that is not open costs nothing more, however often its end is told.
    if turn is None or not prompts.on_ended(session_id=session_id, turn=turn, data=ended):
        return
    permissions.lose(session_id=session_id, turn=turn)
    resumes.arrange(session_id=session_id, turn=turn, error=ended.error)
    prompts.dispatch(session_id=session_id)
    transaction.on_commit(partial(jobs.fold_turn, session_id, turn))


def _permission_asked(instance: Instance, turn: uuid.UUID | None, data: messages.Data) -> None:
    permissions.on_asked(instance=instance, turn=turn, data=cast(messages.PermissionAsked, data))
    if permissions.too_many(session_id=instance.session_id):
        # Its own sidecar lets no agent do this: it is not ours any more, or broken.
        most = messages.MAX_PENDING
        message = f"It asked for more than {most} permissions at a time. It was ended to be safe."
        lifecycle.lose(instance_id=instance.pk, reason="too_many_permissions", message=message)


def _permission_answered(instance: Instance, turn: uuid.UUID | None, data: messages.Data) -> None:
    permissions.on_answered(session_id=instance.session_id, data=cast(messages.PermissionAnswered, data))


def _agent_status(instance: Instance, turn: uuid.UUID | None, data: messages.Data) -> None:
    told = cast(messages.AgentStatus, data)
    # One that ended by itself says why.
    rests = told.status == "stopped" and not told.message
    Instance.objects.filter(pk=instance.pk).exclude(agent_rests=rests).update(agent_rests=rests)


def _usage(instance: Instance, turn: uuid.UUID | None, data: messages.Data) -> None:
    usage.record(
        session_id=instance.session_id,
        turn=turn,
        data=cast(messages.Usage, data),
        generation=instance.generation,
    )
    budget_levels.counted(instance.session)


def _terminal_opened(instance: Instance, turn: uuid.UUID | None, data: messages.Data) -> None:
    terminals.on_opened(session_id=instance.session_id, data=cast(messages.TerminalOpened, data))


def _terminal_closed(instance: Instance, turn: uuid.UUID | None, data: messages.Data) -> None:
    terminals.on_closed(session_id=instance.session_id, data=cast(messages.TerminalClosed, data))


_EFFECTS: dict[str, Effect] = {
    "instance.started": _instance_started,
    "instance.stopped": _instance_stopped,
    "turn.started": _turn_started,
    "turn.ended": _turn_ended,
    "permission.asked": _permission_asked,
    "permission.answered": _permission_answered,
    "agent.status": _agent_status,
    "usage": _usage,
    "terminal.opened": _terminal_opened,
    "terminal.closed": _terminal_closed,
}
