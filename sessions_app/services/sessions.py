"""Sessions: made, changed, started, stopped and deleted by their owners. What one is doing is `state`."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from keys_app import providers
from keys_app import services as keys
from keys_app.models import ProviderKey
from openagent.accounts.models import User
from openagent.lib.errors import AppError
from sessions_app.models import Instance, InstanceState, Mode, Prompt, Session
from sessions_app.services import agents, commands, instances, state
from sidecar.protocol import frames

MAX_TITLE = 200
_MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}")
_SHOWN_MODELS = 5


class Invalid(AppError):
    """One field of a session cannot be what it was asked to be; the message says what to do."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(code, message, 400, errors={field: [{"message": message, "code": code}]})


class IdInUse(AppError):
    """The id that a client made is that of another session."""

    def __init__(self) -> None:
        super().__init__("id_in_use", "This id belongs to another session: make a new one.", 409)


class TurnOpen(AppError):
    """The running turn uses what should change."""

    def __init__(self) -> None:
        message = "The agent is at work: the provider and its key can be changed when the turn has ended."
        super().__init__("turn_open", message, 409)


@transaction.atomic
def create(
    *,
    owner: User,
    session_id: uuid.UUID | None = None,
    agent: str = "",
    provider: str = "",
    model: str = "",
    key: uuid.UUID | None = None,
    title: str = "",
    mode: str = Mode.ASK,
) -> Session:
    """A new session, or the owner's own one that has this id already. Invalid or IdInUse otherwise.

    What is left out is chosen: the provider of the key that is named, of the owner's best key, or the demo
    model; and the first model of the provider.
    """
    if session_id and (existing := Session.objects.filter(pk=session_id).first()):
        return _own(existing, owner)
    chosen = _provider(provider or _usual_provider(owner, key))
    session = Session(
        id=session_id or uuid.uuid4(),
        owner=owner,
        agent=agents.get(agent or agents.DEFAULT).id,
        provider=chosen.id,
        model=_model(chosen, model),
        key_id=_key(owner.pk, chosen, key),
        title=_title(title),
        mode=_mode(mode),
    )
    try:
        with transaction.atomic():
            session.save(force_insert=True)
    except IntegrityError:  # the same request, at the same time
        return _own(Session.objects.get(pk=session.pk), owner)
    return session


@transaction.atomic
def change(*, session: Session, **fields: Any) -> Session:
    """Sets any of title, mode, model, provider, key and archived. Invalid, or TurnOpen for provider and key.

    A running agent gets another mode or model from its next turn on; for another provider or key it is put to
    sleep, and the next prompt wakes it with the new one.
    """
    changed: dict[str, Any] = {}
    if "title" in fields:
        changed["title"] = _title(fields["title"])
    if "archived" in fields and fields["archived"] != (session.archived_at is not None):
        changed["archived_at"] = timezone.now() if fields["archived"] else None
    if "mode" in fields:
        changed["mode"] = _mode(fields["mode"])
    changed |= _model_changes(session, fields)
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
    """The session is gone for everybody; its instance is stopped, its rows and its disk stay for now."""
    if Session.objects.present().filter(pk=session.pk).update(deleted_at=timezone.now()):
        instances.stop(session_id=session.pk, reason="user")
        state.bump(session.pk)


def _own(existing: Session, owner: User) -> Session:
    if existing.owner_id != owner.pk or existing.deleted_at is not None:
        raise IdInUse
    return existing


def _usual_provider(owner: User, key: uuid.UUID | None) -> str:
    keys_of_owner = ProviderKey.objects.owned_by(owner.pk)
    if key is not None:
        keys_of_owner = keys_of_owner.filter(pk=key)
    best = keys_of_owner.order_by("-created_at", "-id").first()
    return best.provider if best else providers.DEMO.id


def _provider(provider_id: str) -> providers.Provider:
    try:
        return providers.get(provider_id)
    except providers.UnknownProvider:
        known = ", ".join(provider.id for provider in providers.every())
        raise Invalid(
            "provider", "unknown_provider", f"There is no such provider; choose one of: {known}."
        ) from None


def _model(provider: providers.Provider, model: str) -> str:
    """The model's id. Only the demo provider knows no others than the catalogue's."""
    known = [entry.id for entry in provider.models]
    if not model:
        return known[0]
    if model in known or (provider.id != providers.DEMO.id and _MODEL_ID.fullmatch(model)):
        return model
    shown = ", ".join(known[:_SHOWN_MODELS])
    raise Invalid(
        "model", "unknown_model", f"{provider.name} has no such model; it has for example: {shown}."
    )


def _key(owner_id: uuid.UUID, provider: providers.Provider, key: uuid.UUID | None) -> uuid.UUID | None:
    """The key that is named, if it fits; without one the owner's best is taken whenever one is needed."""
    if key is not None:
        named = ProviderKey.objects.owned_by(owner_id).filter(pk=key).first()
        if named is None:
            raise Invalid("key", "unknown_key", "You have no such key; add it first.")
        if named.provider != provider.id:
            raise Invalid("key", "wrong_provider", f"This key is not one for {provider.name}.")
        return named.pk
    try:
        keys.choose(owner_id=owner_id, provider=provider.id)
    except keys.KeyMissing:
        message = f"{provider.name} needs a key: add one under Keys, or choose the demo provider."
        raise Invalid("provider", "key_missing", message) from None
    return None


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
    provider = _provider(fields.get("provider", session.provider))
    is_other = provider.id != session.provider
    changes: dict[str, Any] = {
        "provider": provider.id,
        "model": _model(provider, fields.get("model") or ("" if is_other else session.model)),
    }
    if is_other or "key" in fields:
        changes["key_id"] = _key(session.owner_id, provider, fields.get("key"))
    return changes


def _apply(session: Session, changed: dict[str, Any]) -> None:
    """Lets a live instance know."""
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
