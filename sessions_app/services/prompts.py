"""The queue of prompts: each runs once, in order, and never twice."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from openagent.accounts.models import User
from openagent.lib import log
from openagent.lib.errors import AppError, NotFound
from sessions_app.models import Event, Instance, InstanceState, Prompt, PromptState, Session
from sessions_app.models.prompt import OPEN_STATES
from sessions_app.models.session import ACTIVE
from sessions_app.services import budgets, commands, places, state, wakes
from sidecar.protocol import frames, messages

MAX_WAIT = timedelta(days=31)
MAX_BYTES = 256 * 1024
MAX_QUEUED = 50
MAX_QUEUED_BYTES = 2 * 1024 * 1024
"""Of all prompts of a session that wait: its state holds them, and is sent to everybody who watches it."""

_ENDS: dict[str, PromptState] = {
    "end_turn": PromptState.DONE,
    "max_tokens": PromptState.DONE,
    "refused": PromptState.DONE,
    "cancelled": PromptState.CANCELLED,
    "interrupted": PromptState.INTERRUPTED,
    "error": PromptState.FAILED,
}


class Changes(TypedDict, total=False):
    """What can be changed of a prompt that waits."""

    text: str
    due_at: datetime | None


class PromptNotQueued(AppError):
    """Only a prompt that still waits can be changed or taken back."""

    def __init__(self) -> None:
        super().__init__(
            "prompt_not_queued", "The agent already has this prompt; stop the turn instead.", 409
        )


@transaction.atomic
def submit(
    *, session: Session, author: User, prompt_id: uuid.UUID, text: str, due_at: datetime | None = None
) -> tuple[Prompt, bool]:
    """Queues a prompt under the client's id; (prompt, False) when the same one was submitted before.

    It is activity, and it wakes a sleeping session; one with `due_at` does so at that time. AppError when the
    text is not usable, the id belongs to another prompt, too many wait, or the time is too far off.
    """
    text = check_text(text)
    _check_due(due_at)
    Session.objects.hold(session.pk)
    if existing := Prompt.objects.filter(pk=prompt_id).first():
        return _repeated(existing, session, text), False
    if session.prompts.queued().count() >= MAX_QUEUED:
        raise AppError("queue_full", f"{MAX_QUEUED} prompts wait already: remove some, or wait.", 409)
    _check_room(text, session.prompts.queued())
    Session.objects.filter(pk=session.pk).update(is_paused=False, updated_at=timezone.now(), **ACTIVE)
    made = add(
        id=prompt_id,
        session=session,
        author=author,
        text=text,
        due_at=due_at,
        request_id=log.request_id(),
    )
    if made is None:
        return _repeated(Prompt.objects.get(pk=prompt_id), session, text), False
    if not session.title:
        Session.objects.filter(pk=session.pk, title="").update(title=_title(text))
    state.bump(session.pk)
    if due_at is None or due_at <= timezone.now():
        dispatch(session_id=session.pk)
        wakes.for_prompts(session_id=session.pk)
    return made, True


def add(*, session: Session, **fields: Any) -> Prompt | None:
    """A new row at the end of the queue, under its session's lock; None when its id is known."""
    Session.objects.filter(pk=session.pk).update(prompt_count=F("prompt_count") + 1)
    number = Session.objects.values_list("prompt_count", flat=True).get(pk=session.pk)
    try:
        with transaction.atomic():
            return Prompt.objects.create(session=session, number=number, **fields)
    except IntegrityError:
        return None


def check_text(text: str) -> str:
    """The text with plain newlines. AppError says what is wrong with it and what to do."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise AppError("prompt_empty", "Write something first: a prompt cannot be empty.")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise AppError("prompt_not_text", "The prompt holds half of a character pair; remove it.") from None
    if size > MAX_BYTES:
        raise AppError(
            "prompt_too_long",
            f"The prompt has {size // 1024} KB, the limit is {MAX_BYTES // 1024} KB: put the text into "
            "a file of the workspace and name the file.",
        )
    for position, character in enumerate(text):
        if (character < " " and character not in "\n\t") or character == "\x7f":
            raise AppError(
                "prompt_control_characters",
                f"Character {position + 1} is the control character U+{ord(character):04X}; remove it.",
            )
    return text


def _check_room(text: str, waiting: QuerySet[Prompt]) -> None:
    size = sum(len(other.encode()) for other in waiting.values_list("text", flat=True))
    if size + len(text.encode()) > MAX_QUEUED_BYTES:
        most = MAX_QUEUED_BYTES // 1024 // 1024
        message = f"The prompts that wait would have more than {most} MB: remove some, or wait."
        raise AppError("queue_full", message, 409)


@transaction.atomic
def change(*, session: Session, prompt_id: uuid.UUID, **changes: Unpack[Changes]) -> Prompt:
    """Gives a prompt that still waits another text or time. PromptNotQueued when the agent has it.

    `queue_full` as for a new one. Without a time any more it is sent as soon as the agent is free.
    """
    if "text" in changes:
        changes["text"] = check_text(changes["text"])
    _check_due(changes.get("due_at"))
    Session.objects.hold(session.pk)
    _require(session, prompt_id)
    if "text" in changes:
        _check_room(changes["text"], session.prompts.queued().exclude(pk=prompt_id))
    if changes and not session.prompts.queued().filter(pk=prompt_id).update(**changes):
        raise PromptNotQueued
    state.bump(session.pk)
    if "due_at" in changes and changes["due_at"] is None:
        Session.objects.filter(pk=session.pk).update(is_paused=False, **ACTIVE)
        dispatch(session_id=session.pk)
        wakes.for_prompts(session_id=session.pk)
    return Prompt.objects.get(pk=prompt_id)


@transaction.atomic
def withdraw(*, session: Session, prompt_id: uuid.UUID) -> None:
    """Takes back a prompt that still waits. PromptNotQueued when the agent has it."""
    Session.objects.hold(session.pk)
    _require(session, prompt_id)
    deleted, _ = session.prompts.filter(pk=prompt_id, state=PromptState.QUEUED).delete()
    if not deleted:
        raise PromptNotQueued
    state.bump(session.pk)


@transaction.atomic
def interrupt(*, session: Session, turn: uuid.UUID | None) -> None:
    """Asks the agent to stop this turn (the open one, when none is named); harmless when it has ended."""
    Session.objects.hold(session.pk)
    if turn is not None:
        _require(session, turn)
    prompt = session.prompts.open().filter(**({"pk": turn} if turn else {})).first()
    if prompt is None or prompt.instance_id is None:
        return
    if session.prompts.open().filter(pk=prompt.pk, cancel_requested=False).update(cancel_requested=True):
        commands.give(instance_id=prompt.instance_id, order=frames.TurnCancel(turn=str(prompt.pk)))
        state.bump(session.pk)


@transaction.atomic
def dispatch(*, session_id: uuid.UUID) -> bool:
    """Gives the next prompt to the ready instance if no turn is open; whether it did."""
    Session.objects.hold(session_id)
    instance = Instance.objects.filter(session_id=session_id, state=InstanceState.READY).first()
    prompts = Prompt.objects.filter(session_id=session_id)
    if instance is None or prompts.open().exists() or places.is_drained():
        return False
    if prompts.queued().exists() and budgets.refusal(instance.session):
        # It stays where it is until the budget is raised, or its next period begins.
        return False
    prompt = prompts.queued().due().select_related("session", "author").first()
    if prompt is None:
        return False
    try:
        with transaction.atomic():
            if not prompts.queued().filter(pk=prompt.pk).update(state=PromptState.SENT, instance=instance):
                return False
    except IntegrityError:  # another process opened a turn between our look and our update
        return False
    # An edit may have landed between the look and the update: what is sent is what is stored.
    prompt.refresh_from_db(fields=["text"])
    order = frames.TurnStart(
        turn=str(prompt.pk),
        text=prompt.text,
        by=prompt.author.get_full_name() if prompt.author else "",
        model=prompt.session.model,
        mode=prompt.session.mode,
        request=prompt.request_id,
    )
    commands.give(instance_id=instance.pk, order=order)
    state.bump(session_id)
    return True


def on_started(*, session_id: uuid.UUID, turn: uuid.UUID, instance: Instance) -> None:
    """The sidecar journaled the turn: from here on it never runs again."""
    Prompt.objects.filter(
        pk=turn, session_id=session_id, state__in=(PromptState.SENT, PromptState.QUEUED)
    ).update(state=PromptState.RUNNING, instance=instance, started_at=timezone.now())


def on_ended(*, session_id: uuid.UUID, turn: uuid.UUID, data: messages.TurnEnded) -> bool:
    """The turn is over, one way or another; the next prompt may go. False when that was known already.

    A turn that was called interrupted when its instance was lost may have ended otherwise, as salvage tells.
    """
    state, error = _ENDS[data.stop_reason], messages.to_data(data.error) if data.error else None
    known = Q(state=state, error=error) if error else Q(state=state, error__isnull=True)
    may_end = Prompt.objects.filter(state__in=(*OPEN_STATES, PromptState.INTERRUPTED)).exclude(known)
    ended = may_end.filter(pk=turn, session_id=session_id).update(
        state=state, error=error, ended_at=timezone.now()
    )
    return bool(ended)


def on_refused(*, session_id: uuid.UUID, turn: uuid.UUID, reason: str) -> None:
    """The sidecar did not begin the turn: it waits again if the instance only ends, otherwise it failed."""
    sent = Prompt.objects.filter(pk=turn, session_id=session_id, state=PromptState.SENT)
    if reason in ("stopping", "not_ready"):
        _put_back(sent)
        return
    failure = messages.ErrorData(error_class="internal", message=f"The turn could not begin: {reason[:200]}")
    sent.update(state=PromptState.FAILED, error=messages.to_data(failure), ended_at=timezone.now())
    dispatch(session_id=session_id)


def settle_orphan(*, session_id: uuid.UUID, successor_id: uuid.UUID) -> uuid.UUID | None:
    """Decides, after all salvage, about a turn that an earlier instance had: the turn to be ended, if any.

    A prompt whose `turn.started` is not in the log never reached the agent and is queued again.
    """
    prompt = Prompt.objects.open().filter(session_id=session_id).exclude(instance_id=successor_id).first()
    if prompt is None:
        return None
    if Event.objects.filter(session_id=session_id, turn=prompt.pk, kind="turn.started").exists():
        return prompt.pk
    requeue(session_id=session_id)
    return None


def requeue(*, session_id: uuid.UUID) -> None:
    """Puts a prompt that was sent, but never started, back at the head of the queue."""
    _put_back(Prompt.objects.filter(session_id=session_id, state=PromptState.SENT))


def _put_back(sent: QuerySet[Prompt]) -> None:
    """To the head of the queue; but one that somebody stopped meanwhile shall not run after all."""
    sent.filter(cancel_requested=True).update(state=PromptState.CANCELLED, ended_at=timezone.now())
    sent.update(state=PromptState.QUEUED, instance=None)


def _check_due(due_at: datetime | None) -> None:
    if due_at is not None and due_at > timezone.now() + MAX_WAIT:
        message = f"A prompt can wait for {MAX_WAIT.days} days at most: name an earlier time."
        raise AppError("due_too_far", message)


def _require(session: Session, prompt_id: uuid.UUID) -> None:
    if not session.prompts.filter(pk=prompt_id).exists():
        raise NotFound("There is no such prompt in this session.")


def _repeated(existing: Prompt, session: Session, text: str) -> Prompt:
    if existing.session_id != session.pk or existing.text != text:
        raise AppError("prompt_id_reused", "This id belongs to another prompt: make a new one.", 409)
    return existing


def _title(text: str) -> str:
    line = text.strip().splitlines()[0].strip()
    return line if len(line) <= 80 else line[:79].rstrip() + "…"
