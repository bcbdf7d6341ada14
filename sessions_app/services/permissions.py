"""Permissions: what agents ask, who answers first, and what nobody can answer any more."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from openagent.accounts.models import User
from openagent.lib.errors import AppError
from sessions_app.models import Event, Instance, Permission, PermissionState, Session
from sessions_app.models.session import ACTIVE
from sessions_app.services import commands, egress, shapes, state
from sidecar.protocol import frames, messages

CHOICES = ("once", "session", "reject", "always", "never")
FOR_GOOD = ("always", "never")
"""What a person can only say about a host."""
MAX_MESSAGE = 10_000

_TOLD_LATE = Q(state=PermissionState.LOST, by="")
"""Asked by an instance that had ended when its journal told of it: nobody has said yet how it ended."""


class AlreadyAnswered(AppError):
    """Somebody, perhaps on another device, was first."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(
            "already_answered",
            "This was answered already.",
            409,
            choice=permission.choice,
            answered_by=shapes.person(permission.answered_by),
        )


class PermissionGone(AppError):
    """The agent that asked does not wait any more."""

    def __init__(self) -> None:
        super().__init__(
            "permission_lost", "The agent no longer waits for this answer: its turn has ended.", 409
        )


@transaction.atomic
def answer(
    *,
    user: User,
    permission: Permission,
    choice: str,
    message: str = "",
    answers: list[list[str]] | None = None,
) -> Permission:
    """Records the first answer and orders its delivery. AlreadyAnswered or PermissionGone for a later one.

    Of an egress, `always` and `never` become rules of the user's; egress.Forbidden beyond what may be.
    """
    _check(permission, choice, message, answers)
    Session.objects.hold(permission.session_id)
    won = Permission.objects.filter(pk=permission.pk, state=PermissionState.PENDING).update(
        state=PermissionState.ANSWERED,
        choice=choice,
        message=message,
        answers=answers or [],
        by="user",
        answered_by=user,
        answered_at=timezone.now(),
    )
    permission.refresh_from_db()
    if not won:
        raise PermissionGone if permission.state == PermissionState.LOST else AlreadyAnswered(permission)
    if permission.instance_id is None:
        raise PermissionGone
    if permission.type == "egress":
        egress.on_answer(user=user, permission=permission, choice=choice)
    order = frames.PermissionAnswer(
        permission_id=str(permission.pk),
        choice="answered" if permission.type == "question" and choice != "reject" else choice,  # type: ignore[arg-type]
        user=user.get_full_name(),
        message=message,
        answers=answers or [],
    )
    commands.give(instance_id=permission.instance_id, order=order)
    Session.objects.filter(pk=permission.session_id).update(**ACTIVE)
    state.bump(permission.session_id)
    return permission


def on_asked(*, instance: Instance, turn: uuid.UUID | None, data: messages.PermissionAsked) -> None:
    """The agent waits for a person; the event that says so is stored already."""
    Permission.objects.get_or_create(
        id=uuid.UUID(data.permission_id),
        defaults={
            "session_id": instance.session_id,
            "instance": instance,
            "number": _number(instance, turn, data),
            "turn": turn,
            "type": data.type,
            "title": data.title[:2000],
            "asked": messages.to_data(data),
            "state": PermissionState.PENDING if instance.is_live else PermissionState.LOST,
        },
    )


def too_many(*, session_id: uuid.UUID) -> bool:
    """Whether more wait in this session than its sidecar may ask for."""
    pending = Permission.objects.filter(session_id=session_id, state=PermissionState.PENDING)
    return pending.count() > messages.MAX_PENDING


def _number(instance: Instance, turn: uuid.UUID | None, data: messages.PermissionAsked) -> int:
    """The number that the database gave to the event that asks: in order over all sessions."""
    asked = Event.objects.filter(session=instance.session_id, turn=turn, kind="permission.asked")
    rows = asked.order_by("-pk").values_list("pk", "data")
    return next(pk for pk, told in rows.iterator() if told["permission_id"] == data.permission_id)


def on_answered(*, session_id: uuid.UUID, data: messages.PermissionAnswered) -> None:
    """The sidecar says how it ended; the platform's own record of an answer that arrived stays as it is."""
    is_lost = data.choice == "lost"
    told = ~Q(state=PermissionState.ANSWERED)
    if is_lost:  # a user's answer came too late for the agent
        told |= Q(by="user")
    Permission.objects.filter(told, pk=data.permission_id, session_id=session_id).update(
        state=PermissionState.LOST if is_lost else PermissionState.ANSWERED,
        choice=data.choice,
        by=data.by,
        message=data.message,
        answers=data.answers,
        answered_at=timezone.now(),
    )


def lose(
    *, session_id: uuid.UUID, turn: uuid.UUID | None = None
) -> Sequence[tuple[uuid.UUID, uuid.UUID | None]]:
    """Closes what is pending, of one turn or of all: (permission, turn) of each that was."""
    pending = Permission.objects.filter(session_id=session_id, state=PermissionState.PENDING)
    if turn is not None:
        pending = pending.filter(turn=turn)
    return _close(pending)


def lose_undelivered(*, instance_id: uuid.UUID) -> Sequence[tuple[uuid.UUID, uuid.UUID | None]]:
    """Closes what was answered, but never reached the agent of this instance: (permission, turn) of each."""
    orders = commands.undone(instance_id=instance_id, verb="permission.answer")
    answers = Permission.objects.filter(
        pk__in=[order["permission_id"] for order in orders], state=PermissionState.ANSWERED, by="user"
    )
    turns = answers.values("turn")
    told = Event.objects.filter(session__instances=instance_id, turn__in=turns, kind="permission.answered")
    arrived = [data["permission_id"] for data in told.values_list("data", flat=True)]
    return _close(answers.exclude(pk__in=arrived))


def close_told_late(*, session_id: uuid.UUID) -> Sequence[tuple[uuid.UUID, uuid.UUID | None]]:
    """Closes what a journal told of when its instance had ended: (permission, turn) of each."""
    return _close(Permission.objects.filter(_TOLD_LATE, session_id=session_id))


def _close(undecided: QuerySet[Permission]) -> Sequence[tuple[uuid.UUID, uuid.UUID | None]]:
    closed = list(undecided.values_list("id", "turn"))
    undecided.filter(pk__in=[pk for pk, _ in closed]).update(
        state=PermissionState.LOST, choice="lost", by="platform", answered_at=timezone.now()
    )
    return closed


def _check(permission: Permission, choice: str, message: str, answers: list[list[str]] | None) -> None:
    if choice not in CHOICES:
        raise AppError("unknown_choice", f"choice must be one of {', '.join(CHOICES)}.")
    if choice in FOR_GOOD and permission.type != "egress":
        raise AppError("unknown_choice", f"Only hosts can be allowed or refused for good, with {choice}.")
    if len(message) > MAX_MESSAGE:
        raise AppError("message_too_long", f"The message may have {MAX_MESSAGE} characters.")
    if permission.type == "question":
        questions: list[Any] = permission.asked.get("questions", [])
        if choice == "session":
            raise AppError("unknown_choice", "A question is answered with once, or refused with reject.")
        if choice == "once" and len(answers or []) != len(questions):
            raise AppError(
                "answers_missing", f"{len(questions)} answers are needed, one list for each question."
            )
    elif answers:
        raise AppError("answers_unexpected", "Only questions take answers.")
