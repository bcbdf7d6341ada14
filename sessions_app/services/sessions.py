"""Sessions: made, changed, started, stopped and deleted by their owners. What one is doing is `state`."""

from __future__ import annotations

import uuid
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from openagent.accounts.models import User
from openagent.lib.errors import AppError, NotFound
from sessions_app.models import Instance, InstanceState, Mode, Prompt, Session
from sessions_app.services import agents, choices, commands, egress, instances, prompts, repositories, state
from sessions_app.services.choices import Invalid as Invalid
from sidecar.protocol import frames

MAX_TITLE = 200


class IdInUse(AppError):
    """The id that a client made is that of another session."""

    def __init__(self) -> None:
        super().__init__("id_in_use", "This id belongs to another session: make a new one.", 409)


class TooMany(AppError):
    """A user can have so many sessions, those included that can still be restored, and no more."""

    def __init__(self) -> None:
        most = settings.OPENAGENT_SESSIONS_PER_USER
        message = f"You have {most} sessions, the most there may be; a deleted one counts until it is purged."
        super().__init__("too_many_sessions", message, 409)


class TurnOpen(AppError):
    """The running turn uses what should change."""

    def __init__(self) -> None:
        message = "The agent is at work: the provider and its key can be changed when the turn has ended."
        super().__init__("turn_open", message, 409)


class FirstPrompt(TypedDict):
    """The prompt that a session begins with, under the client's id."""

    id: uuid.UUID
    text: str


class Wishes(TypedDict, total=False):
    """What a session should be like; empty or absent is left to us."""

    agent: str
    provider: str
    model: str
    key: uuid.UUID | None
    title: str
    mode: str
    egress: egress.Wish
    repository: repositories.Wish | None


@transaction.atomic
def create(
    *,
    owner: User,
    session_id: uuid.UUID | None = None,
    prompt: FirstPrompt | None = None,
    **wishes: Unpack[Wishes],
) -> Session:
    """A new session, or the owner's own one that has this id already; with its first prompt, or not at all.

    What is left to us: the provider is that of the key that is named or of the owner's newest key, or else
    the demo; the model is the provider's first. Invalid, IdInUse, TooMany, or the prompt's own errors.
    """
    session = Session.objects.filter(pk=session_id).first() if session_id else None
    if session is None:
        session = _insert(owner, session_id or uuid.uuid4(), wishes)
    if session.owner_id != owner.pk or session.deleted_at is not None:
        raise IdInUse
    if prompt is not None:
        prompts.submit(session=session, author=owner, prompt_id=prompt["id"], text=prompt["text"])
        session.refresh_from_db()
    return session


@transaction.atomic
def change(*, session: Session, **fields: Any) -> Session:
    """Sets any of title, mode, egress, model, provider, key, auto_resume and archived.

    Invalid; TurnOpen for provider and key. A running agent gets another mode or model from its next turn on;
    for another provider or key it is put to sleep, and the next prompt wakes it with the new one.
    """
    Session.objects.hold(session.pk)
    changed: dict[str, Any] = {}
    if "title" in fields:
        changed["title"] = _title(fields["title"])
    if "archived" in fields and fields["archived"] != (session.archived_at is not None):
        changed["archived_at"] = timezone.now() if fields["archived"] else None
    if "auto_resume" in fields:
        changed["auto_resume"] = fields["auto_resume"]
    if "mode" in fields:
        changed["mode"] = _mode(fields["mode"])
    changed |= egress.fields(fields.get("egress", {})) | _model_changes(session, fields)
    changed = {name: value for name, value in changed.items() if getattr(session, name) != value}
    if changed:
        Session.objects.filter(pk=session.pk).update(**changed)
        _apply(session, changed)
        state.bump(session.pk)
        session.refresh_from_db()
    return session


@transaction.atomic
def start(*, session: Session) -> None:
    """Wakes the session, whether a prompt waits or not; harmless when it is awake."""
    Session.objects.hold(session.pk)
    if Session.objects.filter(pk=session.pk, is_paused=True).update(is_paused=False):
        state.bump(session.pk)
    instances.wake(session_id=session.pk)


@transaction.atomic
def stop(*, session: Session) -> None:
    """Ends the live instance for its owner: only a prompt or a start wakes the session again."""
    instances.stop(session_id=session.pk, reason="user")
    state.bump(session.pk)


@transaction.atomic
def delete(*, session: Session) -> None:
    """The session is gone for everybody and its instance is stopped; for a grace it can be restored."""
    if Session.objects.present().filter(pk=session.pk).update(deleted_at=timezone.now()):
        instances.stop(session_id=session.pk, reason="user")
        state.bump(session.pk)


@transaction.atomic
def restore(*, session: Session) -> None:
    """Brings a deleted session back, asleep; harmless when it is not deleted. NotFound if it is too late."""
    if Session.objects.restorable().filter(pk=session.pk).update(deleted_at=None):
        state.bump(session.pk)
    elif not Session.objects.present().filter(pk=session.pk).exists():
        raise NotFound("The session was deleted for good.")


def stop_all_of(owner_id: uuid.UUID) -> None:
    """Stops whatever runs for somebody who may not sign in any more."""
    running = Instance.objects.live().filter(session__owner=owner_id)
    for session_id in list(running.values_list("session_id", flat=True)):
        instances.stop(session_id=session_id, reason="user")


def hold_all_of(owner_id: uuid.UUID) -> None:
    """Before everything of this user is deleted, which meets their sessions in an order of its own."""
    Session.objects.filter(owner=owner_id).hold_all()


def _insert(owner: User, session_id: uuid.UUID, wishes: Wishes) -> Session:
    if Session.objects.unpurged().filter(owner=owner).count() >= settings.OPENAGENT_SESSIONS_PER_USER:
        raise TooMany
    key = wishes.get("key")
    agent = agents.get(wishes.get("agent") or agents.DEFAULT)
    provider = choices.provider(wishes.get("provider") or choices.usual_provider(owner, key, agent))
    choices.check_fit(agent, provider)
    session = Session(
        id=session_id,
        owner=owner,
        agent=agent.id,
        provider=provider.id,
        model=choices.model(provider, wishes.get("model", "")),
        key_id=choices.key(owner.pk, provider, key),
        title=_title(wishes.get("title", "")),
        mode=_mode(wishes.get("mode") or Mode.ASK),
        **egress.fields(wishes.get("egress", {}), is_new=True),
        **repositories.fields(wishes.get("repository")),
    )
    try:
        with transaction.atomic():
            session.save(force_insert=True)
    except IntegrityError:  # the same request, at the same time
        return Session.objects.get(pk=session.pk)
    return session


def _title(title: str) -> str:
    title = " ".join(title.split())
    if len(title) > MAX_TITLE:
        raise Invalid("title", "title_too_long", f"A title may have {MAX_TITLE} characters.")
    return title


def _mode(mode: str) -> Mode:
    if mode not in Mode.values:
        raise Invalid(
            "mode", "unknown_mode", f"There is no such mode; choose one of: {', '.join(Mode.values)}."
        )
    return Mode(mode)


def _model_changes(session: Session, fields: dict[str, Any]) -> dict[str, Any]:
    """They belong together: another provider begins with its own first model and the owner's best key."""
    if not fields.keys() & {"provider", "key", "model"}:
        return {}
    provider = choices.provider(fields.get("provider", session.provider))
    is_other = provider.id != session.provider
    if is_other and (agent := agents.find(session.agent)) is not None:
        choices.check_fit(agent, provider)
    changes: dict[str, Any] = {
        "provider": provider.id,
        "model": choices.model(provider, fields.get("model") or ("" if is_other else session.model)),
    }
    if is_other or "key" in fields:
        changes["key_id"] = choices.key(session.owner_id, provider, fields.get("key"))
    return changes


def _apply(session: Session, changed: dict[str, Any]) -> None:
    """Lets a live instance know."""
    egress.tell(Instance.objects.filter(session=session.pk))
    live = Instance.objects.live().filter(session=session.pk).first()
    if live is None:
        return
    if changed.keys() & {"provider", "key_id"}:
        if Prompt.objects.open().filter(session=session.pk).exists():
            raise TurnOpen
        instances.stop(session_id=session.pk, reason="idle")
    elif live.state == InstanceState.READY and changed.keys() & {"model", "mode"}:
        order = frames.AgentConfigure(model=changed.get("model", ""), mode=changed.get("mode", ""))
        commands.give(instance_id=live.pk, order=order)
