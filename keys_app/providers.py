"""The providers of models and git hosts that are known here, and what of them the settings may change."""

from __future__ import annotations

from urllib.parse import urlsplit

from keys_app import catalogue
from keys_app.catalogue import DEMO
from keys_app.provider import Model, Provider
from openagent.lib.errors import AppError

__all__ = [
    "DEMO",
    "Model",
    "Provider",
    "UnknownProvider",
    "every",
    "get",
    "git_hosts",
    "is_plan",
    "of_models",
    "override_errors",
]


class UnknownProvider(AppError):
    """No provider of the catalogue has this id."""

    def __init__(self) -> None:
        super().__init__("unknown_provider", "There is no such provider.", 400)


_BY_ID = {provider.id: provider for provider in catalogue.ENTRIES}


def every() -> tuple[Provider, ...]:
    """The catalogue, in the order in which it is shown."""
    return catalogue.ENTRIES


def of_models() -> tuple[Provider, ...]:
    """Those of them that a session can have its models from."""
    return tuple(provider for provider in every() if provider.kind == "models")


def git_hosts() -> tuple[Provider, ...]:
    """Those of them whose keys are tokens for git."""
    return tuple(provider for provider in every() if provider.kind == "git")


def get(provider_id: str) -> Provider:
    """The provider with this id, or UnknownProvider."""
    try:
        return _BY_ID[provider_id]
    except KeyError:
        raise UnknownProvider() from None


def is_plan(provider_id: str) -> bool:
    """Whether its keys are logins of a plan, which not everybody knows how to use."""
    return provider_id in _BY_ID and bool(_BY_ID[provider_id].login)


def override_errors(overrides: dict[str, str]) -> list[str]:
    """What is wrong with overridden base URLs, in words; an empty list when nothing is."""
    return [error for item in overrides.items() if (error := _override_error(*item))]


def _override_error(provider_id: str, url: str) -> str:
    if provider_id not in _BY_ID or provider_id == DEMO.id:
        return f"{provider_id!r} is not a provider whose address can be changed."
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.query or parts.fragment:
        return f"The address for {provider_id!r} must be http(s)://host[:port][/path] and nothing more."
    return ""
