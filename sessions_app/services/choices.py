"""What a session works with: which provider, which of its models, and whose key."""

from __future__ import annotations

import re
import uuid

from django.db.models import Case, When

from keys_app import providers
from keys_app import services as keys
from keys_app.models import ProviderKey
from openagent.accounts.models import User
from openagent.lib.errors import AppError
from sessions_app.services import agents

_MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}")
_SHOWN_MODELS = 5


class Invalid(AppError):
    """One field of a session cannot be what it was asked to be; the message says what to do."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(code, message, 400, errors={field: [{"message": message, "code": code}]})


def check_fit(agent: agents.Agent, provider: providers.Provider) -> None:
    """Invalid when the agent does not speak the provider's API, or may not use what that takes as a key."""
    if provider.agents and agent.id not in provider.agents:
        names = " or ".join(found.name for each in provider.agents if (found := agents.find(each)))
        words = f"A {provider.name} can be used with {names} only."
        raise Invalid("provider", "wrong_agent", words)
    if not agent.can_use(provider):
        raise Invalid(
            "provider",
            "wrong_agent",
            f"{agent.name} does not speak the API of {provider.name}: choose others.",
        )


def usual_provider(owner: User, key: uuid.UUID | None, agent: agents.Agent) -> str:
    """That of the key that is named, or of the newest key, or else the demo."""
    of_models = [provider.id for provider in providers.of_models()]
    usable = ProviderKey.objects.usable_by(owner.pk).filter(provider__in=of_models)
    if key is not None:
        usable = usable.filter(pk=key)
    own_first = Case(When(owner=owner, then=0), default=1)
    newest = usable.order_by(own_first, "-created_at", "-id").values_list("provider", flat=True)
    # Of some providers nobody knows the models in advance: to use them, they have to be named.
    usual = (name for name in newest if agent.can_use(provider(name)) and provider(name).models)
    return next(iter(newest) if key is not None else usual, providers.DEMO.id)


def provider(provider_id: str) -> providers.Provider:
    """The provider of models with this id, or Invalid."""
    known = {provider.id: provider for provider in providers.of_models()}
    if provider_id not in known:
        words = f"There is no such provider; choose one of: {', '.join(known)}."
        raise Invalid("provider", "unknown_provider", words)
    return known[provider_id]


def model(of: providers.Provider, wished: str) -> str:
    """The model's id. Only the demo provider knows no others than the catalogue's."""
    known = [entry.id for entry in of.models]
    if not wished and known:
        return known[0]
    if not wished:
        raise Invalid("model", "model_missing", f"Name a model: {of.name} has its own.")
    if wished in known or (of.id != providers.DEMO.id and _MODEL_ID.fullmatch(wished)):
        return wished
    if not known:
        raise Invalid("model", "unknown_model", "This is no id of a model.")
    shown = ", ".join(known[:_SHOWN_MODELS])
    raise Invalid("model", "unknown_model", f"{of.name} has no such model; it has for example: {shown}.")


def key(owner_id: uuid.UUID, of: providers.Provider, named: uuid.UUID | None) -> uuid.UUID | None:
    """The key that is named, if it fits; without one the owner's best is taken whenever one is needed."""
    if named is not None:
        row = ProviderKey.objects.usable_by(owner_id).filter(pk=named).first()
        if row is None:
            raise Invalid("key", "unknown_key", "You have no such key; add it first.")
        if row.provider != of.id:
            raise Invalid("key", "wrong_provider", f"This key is not one for {of.name}.")
        return row.pk
    try:
        keys.choose(owner_id=owner_id, provider=of.id)
    except keys.KeyMissing:
        message = f"{of.name} needs a key: add one under Keys, or choose the demo provider."
        raise Invalid("provider", "key_missing", message) from None
    return None
