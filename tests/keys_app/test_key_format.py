"""A wrong paste is explained before anything is kept, and never quoted."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from keys_app import key_format, providers
from openagent.lib.redact import Secret

GOOD = {
    "openai": "sk-proj-0123456789abcdef",
    "anthropic": "sk-ant-api03-0123456789abcdef",
    "google": "AIzaSy0123456789abcdef",
    "openrouter": "sk-or-v1-0123456789abcdef",
    "groq": "gsk_0123456789abcdef",
    "deepseek": "sk-0123456789abcdef",
    "mistral": "0123456789abcdefghijklmnopqrstuv",
    "xai": "xai-0123456789abcdef",
    "git": "0123456789abcdef0123456789abcdef01234567",
    "copilot": "gho_0123456789abcdef",
    "claude-plan": "sk-ant-oat01-0123456789abcdef",
    "chatgpt-plan": '{"access_token":"eyJhbGciOiJub25lIn0.e30.c2ln","account_id":"0123456789"}',
    "copilot-login": "github_pat_0123456789abcdef",
    "azure": "0123456789abcdefghijklmnopqrstuv",
    "bedrock": "ABSK0123456789abcdef",
    "github": "ghp_0123456789abcdef",
    "gitlab": "glpat-0123456789abcdef",
    "compatible": "0123456789abcdefghijklmnopqrstuv",
}


def complaint(provider: str, pasted: str) -> str:
    with pytest.raises(key_format.BadKey) as caught:
        key_format.check(providers.get(provider), Secret(pasted))
    assert caught.value.code == "key_wrong_shape"
    assert "CANARY" not in str(caught.value) + str(caught.value.fields)
    return caught.value.message


def test_every_provider_that_needs_a_key_takes_one() -> None:
    assert GOOD.keys() == {provider.id for provider in providers.every() if provider.needs_key}
    for provider, key in GOOD.items():
        assert key_format.check(providers.get(provider), Secret(f"\n {key}\t")).reveal() == key


def test_google_s_new_keys_are_taken_too() -> None:
    assert key_format.check(providers.get("google"), Secret("AQ.Ab0123456789abcdef"))


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("", "Paste the key"),
        ("  \n", "Paste the key"),
        ("Bearer sk-CANARY-0123456789", "without the word Bearer"),
        ("OPENAI_API_KEY=sk-CANARY-0123456789", "after|follows the equals sign"),
        ("export OPENAI_API_KEY = sk-CANARY-0123456789", "follows the equals sign"),
        ('"sk-CANARY-0123456789"', "quotation marks"),
        ("sk-CANARY 0123456789", "one word"),
        ("sk-CANARY\n0123456789", "one word"),
        ("sk-CANARY\x000123456789", "one word"),
        ("sk-CANARYä0123456789", "one word"),
        ("sk-1", "too short"),
        ("sk-CANARY" + "0" * 5000, "too long"),
        ("CANARY0123456789", "looks like sk-…"),
    ],
)
def test_a_wrong_paste_is_explained(pasted: str, words: str) -> None:
    assert words.split("|")[-1] in complaint("openai", pasted)


@pytest.mark.parametrize(
    ("key_of", "given_to"),
    [("anthropic", "openai"), ("groq", "mistral"), ("xai", "google"), ("claude-plan", "anthropic")],
)
def test_a_key_of_another_provider_is_recognised(key_of: str, given_to: str) -> None:
    message = complaint(given_to, GOOD[key_of])
    assert providers.get(key_of).name in message
    assert providers.get(given_to).name in message


def test_the_demo_needs_no_key() -> None:
    assert "needs no key" in complaint("demo", "sk-CANARY-0123456789")


def test_behind_a_proxy_any_word_may_be_a_key(settings: LazySettings) -> None:
    settings.OPENAGENT_PROVIDER_BASE_URLS = {"openai": "https://proxy.example.com/v1"}
    assert key_format.check(providers.get("openai"), Secret("team-a-key")).reveal() == "team-a-key"
    complaint("openai", "two words")


@given(pasted=st.text(max_size=60), provider=st.sampled_from(sorted(GOOD)))
def test_whatever_is_pasted_is_taken_whole_or_refused(pasted: str, provider: str) -> None:
    try:
        taken = key_format.check(providers.get(provider), Secret(pasted)).reveal()
    except key_format.BadKey:
        return
    assert taken == pasted.strip()
    assert taken.isascii()
    assert taken.isprintable()
    assert " " not in taken


@pytest.mark.parametrize(("key", "hint"), [("sk-0123456789abcdefghijklmn", "klmn"), ("sk-01234567", "")])
def test_the_hint_tells_little_and_of_short_keys_nothing(key: str, hint: str) -> None:
    assert key_format.hint(Secret(key)) == hint
