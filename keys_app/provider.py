"""What is known of a provider of models, or a git host, and where it is: the entries are in `catalogue`.

Base URLs can be overridden by OPENAGENT_PROVIDER_BASE_URLS (a JSON object of provider id to URL), for a
proxy in front of a provider and for tests. Whoever administers the installation sets it, so such a host may
be private. Where an entry leaves the address to whoever has the key (`address`), it comes from the key's row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings

from openagent.lib.redact import Secret
from sidecar.protocol import frames

Wire = Literal["openai-chat", "openai-responses", "anthropic", "google", "git"]
Address = Literal["fixed", "optional", "required"]
"""Whether a key says itself where it is used: never, if its owner likes, or always."""


@dataclass(frozen=True)
class Model:
    """A model that we offer for choice; a session may name any other that its provider knows."""

    id: str
    name: str


@dataclass(frozen=True)
class Provider:
    """One provider: which API it speaks, where, and what its keys look like.

    `check_path` is what is fetched below the base URL to learn whether a key is accepted: it must cost
    nothing and must refuse a wrong key. `key_header` is where the key goes if not where the wire has it.
    A git host speaks `git`: its key is a token, and the password of `git_user` at `git_host`.
    `login`: its key is the login of a plan, which only the plan's own product, `agents`, may use; without a
    `check_path` nothing is known of a key before it is used.
    """

    id: str
    name: str
    wire: Wire
    default_base_url: str
    models: tuple[Model, ...]
    needs_key: bool = True
    key_prefixes: tuple[str, ...] = ()
    key_page: str = ""
    check_path: str = "models"
    key_header: Literal["", "api-key"] = ""
    address: Address = "fixed"
    address_example: str = ""
    note: str = ""
    git_user: str = ""
    default_git_host: str = ""
    login: Literal["", "claude", "chatgpt", "copilot"] = ""
    agents: tuple[str, ...] = ()

    @property
    def base_url(self) -> str:
        overrides: dict[str, str] = settings.OPENAGENT_PROVIDER_BASE_URLS
        return overrides.get(self.id, self.default_base_url).rstrip("/")

    @property
    def has_custom_base_url(self) -> bool:
        return self.id in settings.OPENAGENT_PROVIDER_BASE_URLS

    @property
    def enters_box(self) -> bool:
        """Whether it works inside of the box only, so that whoever has it must agree to that first."""
        return self.login == "copilot"

    @property
    def kind(self) -> Literal["models", "git"]:
        """What its keys are for."""
        return "git" if self.wire == "git" else "models"

    @property
    def git_host(self) -> str:
        """Where its repositories are, with a port if it is not the usual one: where the base URL leads."""
        if self.kind != "git" or not self.has_custom_base_url:
            return self.default_git_host
        return urlsplit(self.base_url).netloc.lower().removesuffix(":443")

    @property
    def key_format(self) -> str:
        """What a key looks like, for the person who has to paste one."""
        return " or ".join(f"{prefix}…" for prefix in self.key_prefixes)

    @property
    def wants_address(self) -> Address:
        """`address`, unless the administrator has said where this provider is for everybody."""
        return "fixed" if self.has_custom_base_url else self.address

    def frame(self, own_base_url: str = "") -> frames.Provider:
        """What a sidecar is told of it, and of the address that the key's owner chose, if one did.

        ValueError for a git host: no model answers there.
        """
        if self.wire == "git":
            raise ValueError(self.id)
        return frames.Provider(
            id=self.id,
            name=self.name,
            wire=self.wire,
            base_url=own_base_url or self.base_url,
            needs_key=self.needs_key,
            key_header=self.key_header,
            is_own_address=bool(own_base_url),
            login=self.login,
        )

    def headers(self, key: Secret) -> dict[str, str | Secret]:
        """What proves to this provider that a request is ours."""
        if self.key_header:
            return {self.key_header: key}
        if self.wire == "anthropic":
            return {"x-api-key": key, "anthropic-version": "2023-06-01"}
        if self.wire == "google":
            return {"x-goog-api-key": key}
        return {"authorization": Secret(f"Bearer {key.reveal()}")}
