"""The catalogue of model providers, as data: to add one, add an entry and its golden test.

Base URLs can be overridden by OPENAGENT_PROVIDER_BASE_URLS (a JSON object of provider id to URL), for a
proxy in front of a provider and for tests. Whoever administers the installation sets it, so such a host may
be private.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings

from openagent.lib.errors import AppError
from openagent.lib.redact import Secret
from sidecar.protocol import frames

Wire = Literal["openai-chat", "openai-responses", "anthropic", "google"]


@dataclass(frozen=True)
class Model:
    """A model that we offer for choice; a session may name any other that its provider knows."""

    id: str
    name: str


@dataclass(frozen=True)
class Provider:
    """One provider: which API it speaks, where, and what its keys look like.

    `check_path` is what is fetched below the base URL to learn whether a key is accepted: it must cost
    nothing and must refuse a wrong key.
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

    @property
    def base_url(self) -> str:
        overrides: dict[str, str] = settings.OPENAGENT_PROVIDER_BASE_URLS
        return overrides.get(self.id, self.default_base_url).rstrip("/")

    @property
    def has_custom_base_url(self) -> bool:
        return self.id in settings.OPENAGENT_PROVIDER_BASE_URLS

    @property
    def key_format(self) -> str:
        """What a key looks like, for the person who has to paste one."""
        return " or ".join(f"{prefix}…" for prefix in self.key_prefixes)

    def frame(self) -> frames.Provider:
        """What a sidecar is told of it."""
        return frames.Provider(
            id=self.id, name=self.name, wire=self.wire, base_url=self.base_url, needs_key=self.needs_key
        )

    def headers(self, key: Secret) -> dict[str, str | Secret]:
        """What proves to this provider that a request is ours."""
        if self.wire == "anthropic":
            return {"x-api-key": key, "anthropic-version": "2023-06-01"}
        if self.wire == "google":
            return {"x-goog-api-key": key}
        return {"authorization": Secret(f"Bearer {key.reveal()}")}


class UnknownProvider(AppError):
    """No provider of the catalogue has this id."""

    def __init__(self) -> None:
        super().__init__("unknown_provider", "There is no such provider.", 400)


DEMO = Provider(
    id="demo",
    name="Demo (scripted, no key needed)",
    wire="openai-chat",
    # The sidecar starts the scripted model itself, so there is nowhere to send anything.
    default_base_url="",
    models=(Model("demo", "Scripted demo"),),
    needs_key=False,
)

_CATALOGUE = (
    DEMO,
    Provider(
        id="anthropic",
        name="Anthropic",
        wire="anthropic",
        default_base_url="https://api.anthropic.com/v1",
        key_prefixes=("sk-ant-",),
        key_page="https://platform.claude.com/settings/keys",
        models=(
            Model("claude-opus-5-5", "Claude Opus 5.5"),
            Model("claude-fable-5-1", "Claude Fable 5.1"),
            Model("claude-sonnet-5", "Claude Sonnet 5"),
            Model("claude-haiku-4-5", "Claude Haiku 4.5"),
        ),
    ),
    Provider(
        id="openai",
        name="OpenAI",
        wire="openai-responses",
        default_base_url="https://api.openai.com/v1",
        key_prefixes=("sk-",),
        key_page="https://platform.openai.com/api-keys",
        models=(
            Model("gpt-6-sol", "GPT-6 Sol"),
            Model("gpt-6-astra", "GPT-6 Astra"),
            Model("gpt-6-luna", "GPT-6 Luna"),
            Model("gpt-5.6", "GPT-5.6"),
        ),
    ),
    Provider(
        id="google",
        name="Google Gemini",
        wire="google",
        default_base_url="https://generativelanguage.googleapis.com/v1beta",
        key_prefixes=("AQ.", "AIza"),
        key_page="https://aistudio.google.com/apikey",
        models=(
            Model("gemini-3.8-flash", "Gemini 3.8 Flash"),
            Model("gemini-3.1-pro-preview", "Gemini 3.1 Pro (preview)"),
            Model("gemini-3.5-flash-lite", "Gemini 3.5 Flash Lite"),
            Model("gemini-2.5-pro", "Gemini 2.5 Pro"),
        ),
    ),
    Provider(
        id="openrouter",
        name="OpenRouter",
        wire="openai-chat",
        default_base_url="https://openrouter.ai/api/v1",
        key_prefixes=("sk-or-",),
        key_page="https://openrouter.ai/settings/keys",
        # Its list of models is public and would accept any key.
        check_path="key",
        models=(
            Model("anthropic/claude-opus-5.5", "Claude Opus 5.5"),
            Model("openai/gpt-6-sol", "GPT-6 Sol"),
            Model("x-ai/grok-4.7", "Grok 4.7"),
            Model("z-ai/glm-5.3-prime", "GLM 5.3 Prime"),
            Model("qwen/qwen3.8-max-prime", "Qwen 3.8 Max Prime"),
        ),
    ),
    Provider(
        id="groq",
        name="Groq",
        wire="openai-chat",
        default_base_url="https://api.groq.com/openai/v1",
        key_prefixes=("gsk_",),
        key_page="https://console.groq.com/keys",
        models=(
            Model("qwen/qwen3.8-27b", "Qwen3.8 27B"),
            Model("openai/gpt-oss-120b", "GPT OSS 120B"),
            Model("openai/gpt-oss-20b", "GPT OSS 20B"),
        ),
    ),
    Provider(
        id="deepseek",
        name="DeepSeek",
        wire="openai-chat",
        default_base_url="https://api.deepseek.com/v1",
        key_prefixes=("sk-",),
        key_page="https://platform.deepseek.com/api_keys",
        models=(Model("deepseek-v4-pro", "DeepSeek V4 Pro"), Model("deepseek-flash", "DeepSeek Flash")),
    ),
    Provider(
        id="mistral",
        name="Mistral",
        wire="openai-chat",
        default_base_url="https://api.mistral.ai/v1",
        key_page="https://console.mistral.ai/api-keys",
        models=(
            Model("mistral-medium-latest", "Mistral Medium"),
            Model("mistral-small-latest", "Mistral Small"),
            Model("mistral-large-latest", "Mistral Large"),
            Model("codestral-latest", "Codestral"),
        ),
    ),
    Provider(
        id="xai",
        name="xAI",
        wire="openai-chat",
        default_base_url="https://api.x.ai/v1",
        key_prefixes=("xai-",),
        key_page="https://console.x.ai",
        models=(Model("grok-4.7", "Grok 4.7"), Model("grok-build-0.1", "Grok Build 0.1")),
    ),
)

_BY_ID = {provider.id: provider for provider in _CATALOGUE}


def every() -> tuple[Provider, ...]:
    """The catalogue, in the order in which it is shown."""
    return _CATALOGUE


def get(provider_id: str) -> Provider:
    """The provider with this id, or UnknownProvider."""
    try:
        return _BY_ID[provider_id]
    except KeyError:
        raise UnknownProvider() from None


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
