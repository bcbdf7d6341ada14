"""Orders to a live instance: numbered rows that the link repeats until the sidecar holds them."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from functools import partial
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sessions_app import relay
from sessions_app.models import Command, Instance
from sidecar.protocol import frames, terminals
from sidecar.protocol.egress import Egress

_VERBS: dict[type[msgspec.Struct], str] = {
    frames.SessionClaim: "session.claim",
    frames.TurnStart: "turn.start",
    frames.TurnCancel: "turn.cancel",
    frames.PermissionAnswer: "permission.answer",
    frames.AgentConfigure: "agent.configure",
    frames.AgentRest: "agent.rest",
    Egress: "egress.configure",
    frames.InstanceStop: "instance.stop",
    terminals.TerminalOpen: "terminal.open",
    frames.TerminalOpenAgent: "terminal.open_agent",
    terminals.TerminalClose: "terminal.close",
    terminals.TerminalResize: "terminal.resize",
}


@transaction.atomic
def give(*, instance_id: uuid.UUID, order: msgspec.Struct) -> Command:
    """Writes the next command of this instance; the link is woken when the transaction commits."""
    Instance.objects.filter(id=instance_id).update(last_command=F("last_command") + 1)
    number = Instance.objects.values_list("last_command", flat=True).get(id=instance_id)
    command = Command.objects.create(
        instance_id=instance_id, number=number, verb=_VERBS[type(order)], data=msgspec.to_builtins(order)
    )
    transaction.on_commit(partial(relay.wake_link, instance_id))
    return command


def after(*, instance_id: uuid.UUID, number: int, limit: int = 20) -> list[frames.Command]:
    """The commands that a sidecar holding `number` has not seen, oldest first."""
    rows = Command.objects.filter(instance_id=instance_id, number__gt=number).order_by("number")[:limit]
    return [frames.Command(number=row.number, verb=row.verb, data=row.data) for row in rows]


def newest(instance_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The number of each instance's last command, in one query: finds the wake-ups that were lost."""
    return dict(Instance.objects.filter(pk__in=instance_ids).values_list("pk", "last_command"))


def undone(*, instance_id: uuid.UUID, verb: str) -> list[dict[str, Any]]:
    """The data of the commands with this verb that nobody knows to be carried out."""
    return list(
        Command.objects.filter(instance_id=instance_id, verb=verb, done_at=None).values_list(
            "data", flat=True
        )
    )


def done(*, instance_id: uuid.UUID, number: int, error: str = "") -> Command | None:
    """The sidecar carried out everything up to `number`; `error` says why it refused the last one.

    The refused command, the first time that this is heard. The rows keep no data: nobody needs it any more.
    """
    rows = Command.objects.filter(instance_id=instance_id, done_at=None)
    rows.filter(number__lt=number).update(done_at=timezone.now(), data={})
    last = rows.filter(number=number).first()
    is_first = rows.filter(number=number).update(done_at=timezone.now(), data={}, error=error[:2000])
    return last if is_first and error else None
