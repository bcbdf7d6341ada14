"""What the platform knows about a session as rows: its derived status, and the state that sockets show.

State carries a version; whoever changes a row that it is made of calls `bump` in the same transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.db import models, transaction
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, Value, When
from django.utils import timezone

from openagent.lib.errors import NotFound
from sessions_app import relay
from sessions_app.models import (
    Instance,
    InstanceState,
    Permission,
    PermissionState,
    Prompt,
    PromptState,
    Session,
    Terminal,
    UsageEvent,
)
from sessions_app.models.prompt import OPEN_STATES
from sessions_app.services import budgets, shapes


class Status(models.TextChoices):
    """What a session is doing, derived from its rows; never stored."""

    IDLE = "idle", "New"
    QUEUED = "queued", "Queued"
    STARTING = "starting", "Starting"
    RUNNING = "running", "Running"
    NEEDS_YOU = "needs_you", "Needs you"
    READY = "ready", "Ready"
    ASLEEP = "asleep", "Asleep"
    FAILED = "failed", "Failed"


def bump(session_id: uuid.UUID) -> None:
    """The state of this session is different from now on; whoever watches is told after the commit."""
    _bump(session_id, updated_at=timezone.now())


def bump_quietly(session_id: uuid.UUID) -> None:
    """The same where nobody did anything: it keeps its place in the lists."""
    _bump(session_id)


def _bump(session_id: uuid.UUID, **also: Any) -> None:
    Session.objects.filter(pk=session_id).update(state_version=F("state_version") + 1, **also)
    transaction.on_commit(partial(relay.wake_session, session_id))


def with_status(sessions: models.QuerySet[Session]) -> models.QuerySet[Session]:
    """Adds `status` and `latest_instance` (an id): the one place where a status is derived.

    A database expression, so that lists can be filtered by it. The first condition that holds decides.
    """
    latest = Instance.objects.filter(session=OuterRef("pk")).order_by("-generation")
    prompts = Prompt.objects.filter(session=OuterRef("pk"))
    asking = Permission.objects.filter(session=OuterRef("pk"), state=PermissionState.PENDING)
    has_open = Exists(prompts.filter(state__in=OPEN_STATES))
    # A prompt that was sent to an instance which was lost waits for the next one, as a queued one does.
    waits = Exists(prompts.waiting()) & Q(is_paused=False)
    state = "latest_state"
    return sessions.annotate(
        latest_instance=Subquery(latest.values("pk")[:1]),
        latest_state=Subquery(latest.values("state")[:1]),
        status=Case(
            When(Exists(asking), then=Value(Status.NEEDS_YOU)),
            When(Q(**{state: InstanceState.REQUESTED}), then=Value(Status.QUEUED)),
            When(Q(**{state: InstanceState.STARTING}), then=Value(Status.STARTING)),
            When(
                Q(**{f"{state}__in": (InstanceState.READY, InstanceState.STOPPING)}) & has_open,
                then=Value(Status.RUNNING),
            ),
            When(Q(**{state: InstanceState.FAILED}), then=Value(Status.FAILED)),
            When(waits, then=Value(Status.QUEUED)),
            When(Q(**{state: InstanceState.READY}), then=Value(Status.READY)),
            When(Q(**{f"{state}__isnull": True}), then=Value(Status.IDLE)),
            default=Value(Status.ASLEEP),
            output_field=models.CharField(max_length=12),
        ),
    )


def describe(sessions: Iterable[Session]) -> list[shapes.Shape]:
    """The public shape of each session of a `with_status` query, with a constant number of queries."""
    rows = list(sessions)
    ids = [row.pk for row in rows]
    latest = {_annotation(row, "latest_instance") for row in rows} - {None}
    instances = Instance.objects.in_bulk(latest) if latest else {}
    turns = dict(Prompt.objects.open().filter(session__in=ids).values_list("session_id", "pk"))
    queued = _counts(Prompt.objects.filter(state=PromptState.QUEUED, session__in=ids))
    pending = _counts(Permission.objects.filter(state=PermissionState.PENDING, session__in=ids))
    usage = UsageEvent.objects.filter(session__in=ids).totals_by("session_id")
    return [
        shapes.session(
            row,
            shapes.Facts(
                status=_annotation(row, "status"),
                instance=instances.get(_annotation(row, "latest_instance")),
                turn=turns.get(row.pk),
                queued=queued.get(row.pk, 0),
                pending=pending.get(row.pk, 0),
                usage=usage.get((row.pk,), shapes.NO_USAGE),
            ),
        )
        for row in rows
    ]


def describe_one(session_id: uuid.UUID) -> shapes.Shape:
    """The public shape of one session. NotFound when it was deleted."""
    found = describe(with_status(Session.objects.present().filter(pk=session_id)))
    if not found:
        raise NotFound("There is no such session.")
    return found[0]


def status(session_id: uuid.UUID) -> Status:
    """What the session is doing now. NotFound when it was deleted."""
    row = with_status(Session.objects.present().filter(pk=session_id)).first()
    if row is None:
        raise NotFound("There is no such session.")
    return Status(_annotation(row, "status"))


def describe_prompts(session_id: uuid.UUID, rows: Sequence[Prompt]) -> list[shapes.Shape]:
    """The public shape of prompts of one session, with the places of those that wait."""
    waiting = Prompt.objects.queued().filter(session=session_id).values_list("pk", flat=True)
    places = {pk: place for place, pk in enumerate(waiting, 1)}
    return [shapes.prompt(row, places.get(row.pk)) for row in rows]


def describe_terminals(session_id: uuid.UUID) -> list[shapes.Shape]:
    """The public shape of each terminal that is not removed, the oldest first."""
    rows = Terminal.objects.present().filter(session=session_id).order_by("created_at", "pk")
    return [shapes.terminal(row) for row in rows.select_related("instance", "opened_by")]


def snapshot(session_id: uuid.UUID) -> shapes.Shape:
    """The whole state that a socket shows. NotFound when the session was deleted.

    Reads without a transaction, the version first: what is shown is at least as new as its version says, and
    a change that was missed comes with a higher one.
    """
    rows = list(with_status(Session.objects.present().filter(pk=session_id)))
    if not rows:
        raise NotFound("There is no such session.")
    prompts = list(Prompt.objects.unfinished().filter(session=session_id).select_related("author"))
    turn = next((row.pk for row in prompts if row.state in OPEN_STATES), None)
    shown = Q(state=PermissionState.PENDING) | (Q(turn=turn) if turn else Q(pk=None))
    permissions = Permission.objects.filter(shown, session=session_id).order_by("number", "pk")
    return {
        "version": rows[0].state_version,
        "session": describe(rows)[0],
        "prompts": describe_prompts(session_id, prompts),
        "terminals": describe_terminals(session_id),
        "budgets": budgets.notices(rows[0]),
        "permissions": [
            shapes.permission(row) for row in permissions.select_related("session", "answered_by")
        ],
    }


def _counts(rows: models.QuerySet[Any]) -> dict[uuid.UUID, int]:
    return dict(rows.order_by().values("session_id").annotate(n=Count("pk")).values_list("session_id", "n"))


def _annotation(row: Session, name: str) -> Any:
    """A value that `with_status` added; the model's type does not know it."""
    return getattr(row, name)
