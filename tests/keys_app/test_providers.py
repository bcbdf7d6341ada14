"""The catalogue is complete and consistent, and its addresses can be overridden, but not by nonsense."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings

from keys_app import providers
from sidecar.protocol import frames

IDS = [
    *("demo", "anthropic", "openai", "google", "openrouter", "groq", "deepseek", "mistral", "xai"),
    *("copilot", "claude-plan", "chatgpt-plan", "copilot-login", "azure", "bedrock", "compatible"),
]
GIT = ["github", "gitlab", "git"]
ELSEWHERE = {"azure", "compatible", "git"}
"""Where they are, and what models they have, only the owner of a key knows."""


def test_the_catalogue_has_every_provider_once() -> None:
    assert [provider.id for provider in providers.every()] == [*IDS, *GIT]
    assert [provider.id for provider in providers.of_models()] == IDS
    for provider in providers.every():
        assert providers.get(provider.id) is provider
        assert len({model.id for model in provider.models}) == len(provider.models)
        assert bool(provider.models) == (provider.id not in {*ELSEWHERE, *GIT})


@pytest.mark.parametrize("provider_id", IDS[1:])
def test_a_provider_that_needs_a_key_says_where_it_is_and_where_to_get_one(provider_id: str) -> None:
    provider = providers.get(provider_id)
    assert provider.wire != "git"
    own = provider.address_example if provider_id in ELSEWHERE else ""
    frame = provider.frame(own)
    assert urlsplit(frame.base_url).scheme == "https"
    assert provider.key_page.startswith("https://") or provider_id == "compatible"
    assert frame == frames.Provider(
        id=provider.id,
        name=provider.name,
        wire=provider.wire,
        base_url=own or provider.base_url,
        key_header="api-key" if provider_id == "azure" else "",
        is_own_address=bool(own),
        login=provider.login,
    )
    assert bool(provider.login) == bool(provider.agents)


@pytest.mark.parametrize(
    ("provider_id", "host", "user"),
    [("github", "github.com", "x-access-token"), ("gitlab", "gitlab.com", "oauth2")],
)
def test_a_git_host_has_repositories_and_no_models(
    provider_id: str, host: str, user: str, settings: LazySettings
) -> None:
    provider = providers.get(provider_id)
    assert (provider.kind, provider.git_host, provider.git_user) == ("git", host, user)
    with pytest.raises(ValueError, match=provider_id):
        provider.frame()
    settings.OPENAGENT_PROVIDER_BASE_URLS = {provider_id: "https://Git.corp.example:8443/api"}
    assert provider.git_host == "git.corp.example:8443"
    assert providers.get("openai").git_host == ""


def test_an_address_can_be_overridden(settings: LazySettings) -> None:
    settings.OPENAGENT_PROVIDER_BASE_URLS = {"openai": "http://10.0.0.1:4000/v1/"}
    assert providers.get("openai").base_url == "http://10.0.0.1:4000/v1"
    assert providers.get("openai").has_custom_base_url
    assert providers.get("openai").frame().base_url == "http://10.0.0.1:4000/v1"
    assert not providers.get("xai").has_custom_base_url


def test_an_unknown_provider_is_an_anticipated_error() -> None:
    with pytest.raises(providers.UnknownProvider) as caught:
        providers.get("nobody")
    assert (caught.value.code, caught.value.status) == ("unknown_provider", 400)


@pytest.mark.parametrize(
    "overrides",
    [
        {"nobody": "https://example.com"},
        {"demo": "https://example.com"},
        {"openai": ""},
        {"openai": "example.com/v1"},
        {"openai": "ftp://example.com"},
        {"openai": "https://user:password@example.com"},
        {"openai": "https://example.com/v1?key=x"},
        {"openai": "https://example.com/v1#x"},
        {"openai": "https://example.com:99999/v1"},
        {"openai": "https://[::1/v1"},
    ],
    ids=str,
)
def test_a_senseless_override_is_named(overrides: dict[str, str]) -> None:
    [error] = providers.override_errors(overrides)
    assert repr(next(iter(overrides))) in error
    assert "password" not in error


def test_a_sensible_override_is_not() -> None:
    assert providers.override_errors({"openai": "http://localhost:4000/v1", "xai": "https://[::1]:1/"}) == []
