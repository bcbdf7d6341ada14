"""What OpenCode is told when it starts: its provider behind the gate, its permissions, its environment."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sidecar.agents import disk
from sidecar.agents.base import AgentContext
from sidecar.protocol import frames

CATALOGUED = frozenset({"anthropic", "deepseek", "google", "groq", "mistral", "openai", "openrouter", "xai"})
"""Providers that OpenCode knows by these ids, with the client library and the limits of their models."""

_LIBRARIES = {
    "openai-chat": "@ai-sdk/openai-compatible",
    "openai-responses": "@ai-sdk/openai",
    "anthropic": "@ai-sdk/anthropic",
    "google": "@ai-sdk/google",
}

_ASK = dict.fromkeys(("edit", "bash", "webfetch", "websearch", "external_directory", "doom_loop"), "ask")
_PERMISSIONS = {
    # By agent too: what a repository's own configuration says for one agent would outweigh the general rules.
    "build": _ASK,
    "general": _ASK,
    "explore": _ASK,
    # The general rules come after the built-in ones of this agent, which forbid it to edit.
    "plan": {**_ASK, "edit": "deny"},
}

_SWITCHES = (
    "OPENCODE_DISABLE_AUTOUPDATE",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS",
    "OPENCODE_DISABLE_EMBEDDED_WEB_UI",
    "OPENCODE_DISABLE_LSP_DOWNLOAD",
    "OPENCODE_DISABLE_MODELS_FETCH",
    "OPENCODE_DISABLE_SHARE",
)


def no_models(context: AgentContext) -> str:
    """Where an empty catalogue of models lies: to read OpenCode's own takes seconds of processor time."""
    return f"{disk.directories(context)['XDG_CACHE_HOME']}/no-models.json"


def base_url(context: AgentContext, provider: frames.Provider) -> str:
    """Where this provider's API is in the box: the gate takes it from there."""
    version = "v1beta" if provider.wire == "google" else "v1"
    return f"http://127.0.0.1:{context.gate_port}/{provider.id}/{version}"


def _entry(context: AgentContext, provider: frames.Provider, models: Collection[str]) -> dict[str, Any]:
    """One provider, with `models` beside those that OpenCode knows of it."""
    silence = max(1, int(context.silence_seconds * 1000))
    options = {
        "baseURL": base_url(context, provider),
        "apiKey": context.token,
        "chunkTimeout": silence,
        "headerTimeout": silence,
    }
    entry: dict[str, Any] = {"options": options, "models": {name: {} for name in sorted(models)}}
    if provider.id not in CATALOGUED:
        entry["npm"] = _LIBRARIES[provider.wire]
        entry["name"] = provider.name
        for known in entry["models"].values():
            known.update(tool_call=True, reasoning=True, limit={"context": 128_000, "output": 16_384})
    return entry


def configuration(context: AgentContext, models: frozenset[str]) -> dict[str, Any]:
    """OPENCODE_CONFIG_CONTENT: what is on offer, and of the provider in use `models` too."""
    model = f"{context.provider.id}/{context.model}"
    # Before it is known for whom, there is no model that it may use by itself.
    chosen = {} if len(context.offers) > 1 else {"model": model, "small_model": model}
    known = {offer.provider.id: (offer.provider, frozenset(offer.models)) for offer in context.offers}
    provider, offered = known.get(context.provider.id, (context.provider, frozenset()))
    known[context.provider.id] = (provider, offered | models)
    return {
        "autoupdate": False,
        "share": "disabled",
        "lsp": False,
        "formatter": False,
        # Git commands over the whole workspace at every step, for an undo of OpenCode's own screen: half of
        # the time that a call of the model takes beside the model.
        "snapshot": False,
        **chosen,
        "enabled_providers": list(known),
        "provider": {name: _entry(context, *entry) for name, entry in known.items()},
        "permission": _ASK,
        "agent": {name: {"permission": rules} for name, rules in _PERMISSIONS.items()},
    }


def screen_environment(context: AgentContext, password: str) -> dict[str, str]:
    """The variables of OpenCode's own screen, which asks the server for all the rest."""
    return {
        **disk.directories(context),
        **dict.fromkeys(_SWITCHES, "1"),
        "OPENCODE_CONFIG_CONTENT": json.dumps({"autoupdate": False, "share": "disabled"}),
        "OPENCODE_SERVER_PASSWORD": password,
    }


def environment(context: AgentContext, password: str, models: frozenset[str]) -> dict[str, str]:
    """All variables of the server; nothing in them is worth stealing."""
    providers = {context.provider.id, *(offer.provider.id for offer in context.offers)}
    return {
        **disk.directories(context),
        **dict.fromkeys(_SWITCHES, "1"),
        # Of other providers the configuration says everything.
        **({} if providers & CATALOGUED else {"OPENCODE_MODELS_PATH": no_models(context)}),
        "OPENCODE_CONFIG_CONTENT": json.dumps(configuration(context, models)),
        "OPENCODE_SERVER_PASSWORD": password,
    }
