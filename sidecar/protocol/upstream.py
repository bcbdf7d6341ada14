"""What a sidecar is told of the providers of models that a session, or a prepared agent, may use."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec


class Provider(msgspec.Struct, kw_only=True):
    """Where the gate sends model calls of a session; `wire` names the API that the upstream speaks.

    `key_header` is where the key goes if not where the wire has it. `login`: its key is the login of a plan,
    used as that plan's own product does; that of "copilot" has to be inside of the box. `is_own_address`: the
    key's owner chose the base URL, so only a public address may be behind it.
    """

    id: str
    name: str
    wire: Literal["openai-chat", "openai-responses", "anthropic", "google"]
    base_url: str
    needs_key: bool = True
    key_header: Literal["", "api-key"] = ""
    is_own_address: bool = False
    login: Literal["", "claude", "chatgpt", "copilot"] = ""


def enters_box(provider: Provider) -> bool:
    """Whether its login works in the box only, against the rule that no secret enters it."""
    return provider.login == "copilot"


class Offer(msgspec.Struct, kw_only=True):
    """A provider that an agent may have to work with, and the models of it that it must know."""

    provider: Provider
    models: Annotated[list[str], msgspec.Meta(min_length=1)]
