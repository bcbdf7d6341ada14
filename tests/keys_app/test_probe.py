"""A provider is asked in its own way, and what it says becomes the key's status, unless it says nothing."""

from __future__ import annotations

import pytest

from keys_app import services
from keys_app.models import KeyAction, KeyStatus, KeyUse, ProviderKey
from openagent.accounts.models import User
from openagent.lib.redact import Secret
from tests.keys_app.conftest import CANARY, FakeProvider


@pytest.mark.parametrize(
    ("name", "wire_headers", "path"),
    [
        ("openai", {"authorization": "Bearer " + CANARY}, "/v1/models"),
        ("anthropic", {"x-api-key": CANARY, "anthropic-version": "2023-06-01"}, "/v1/models"),
        ("google", {"x-goog-api-key": CANARY}, "/v1/models"),
        ("openrouter", {"authorization": "Bearer " + CANARY}, "/v1/key"),
        ("mistral", {"authorization": "Bearer " + CANARY}, "/v1/models"),
        ("azure", {"api-key": CANARY}, "/v1/models"),
    ],
)
def test_a_test_asks_the_provider_in_its_own_way(
    provider: FakeProvider, alice: User, name: str, wire_headers: dict[str, str], path: str
) -> None:
    key = services.create(owner_id=alice.pk, provider=name, value=Secret(CANARY))
    tested, outcome = services.test(key)
    assert (tested.status, outcome.code) == (KeyStatus.OK, "ok")
    [(method, asked, headers)] = provider.requests
    assert (method, asked) == ("GET", path)
    assert wire_headers.items() <= headers.items()
    assert KeyUse.objects.get(key=key.pk, action=KeyAction.TESTED).detail == "ok"


@pytest.mark.parametrize(
    ("name", "status", "expected", "code"),
    [
        ("openai", 401, KeyStatus.REFUSED, "refused"),
        ("openai", 403, KeyStatus.REFUSED, "refused"),
        ("google", 400, KeyStatus.REFUSED, "refused"),
        ("openai", 400, KeyStatus.UNTESTED, "unexpected_answer"),
        ("deepseek", 402, KeyStatus.OK, "no_credit"),
        ("openai", 429, KeyStatus.UNTESTED, "rate_limited"),
        ("openai", 500, KeyStatus.UNTESTED, "unexpected_answer"),
        ("openai", 302, KeyStatus.UNTESTED, "unexpected_answer"),
    ],
)
def test_what_a_provider_says_becomes_the_status(
    provider: FakeProvider, alice: User, name: str, status: int, expected: KeyStatus, code: str
) -> None:
    provider.status = status
    provider.answer_headers = {"location": provider.url + "/elsewhere"}
    key = services.create(owner_id=alice.pk, provider=name, value=Secret(CANARY))
    tested, outcome = services.test(key)
    assert (tested.status, outcome.code) == (expected, code)
    assert len(provider.requests) == 1
    assert "CANARY" not in outcome.message


def test_a_provider_that_is_not_there_says_nothing_about_the_key(
    provider: FakeProvider, key: ProviderKey
) -> None:
    ProviderKey.objects.update(status=KeyStatus.OK)
    provider.shutdown()
    provider.server_close()
    tested, outcome = services.test(key)
    assert (tested.status, outcome.code) == (KeyStatus.OK, "unreachable")


def test_a_verdict_on_a_key_that_was_replaced_meanwhile_is_dropped(
    provider: FakeProvider, key: ProviderKey
) -> None:
    stale = ProviderKey.objects.get(pk=key.pk)
    provider.status = 401
    services.replace(key, value=Secret("sk-proj-another-0123456789"))
    tested, outcome = services.test(stale)
    assert (tested.status, outcome.code) == (KeyStatus.UNTESTED, "refused")
