"""keys/ and providers/ as a client sees them: a key goes in and never comes out, strangers see nothing."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from keys_app import services
from keys_app.models import ProviderKey
from openagent.accounts import tokens
from openagent.accounts.models import Scope, User
from openagent.lib.redact import Secret, spellings
from tests.conftest import client_of
from tests.keys_app.conftest import CANARY, FakeProvider

KEYS = "/api/v1/keys/"


@pytest.fixture(autouse=True)
def no_throttle_of_another_test() -> None:
    cache.clear()


def body(response: Any) -> str:
    return str(response.content.decode())


def shows(text: str, secret: str) -> bool:
    return any(form in text for form in spellings(secret))


def test_a_key_is_made_and_only_its_end_is_ever_shown(alice_client: APIClient) -> None:
    made = alice_client.post(KEYS, {"provider": "openai", "key": CANARY, "label": " work "})
    assert made.status_code == 201
    assert made.json().keys() == {
        *("id", "provider", "base_url", "label", "hint", "status", "created_at", "last_used_at"),
        *("is_shared_with_me", "sharing", "box_consent_at"),
    }
    assert made.json()["hint"] == CANARY[-4:]
    assert (made.json()["label"], made.json()["status"]) == ("work", "untested")
    one = alice_client.get(f"{KEYS}{made.json()['id']}/")
    listed = alice_client.get(KEYS)
    assert one.json() == made.json()
    assert listed.json() == {"next": None, "previous": None, "results": [made.json()]}
    assert not any(shows(body(response), CANARY) for response in (made, one, listed))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "invalid"),
        ({"provider": "openai"}, "invalid"),
        ({"provider": "openai", "key": None}, "invalid"),
        ({"provider": "openai", "key": {"a": CANARY}}, "invalid"),
        ({"provider": "openai", "key": CANARY, "label": "x" * 81}, "invalid"),
        ({"provider": "openai", "key": ""}, "invalid"),
        ({"provider": "openai", "key": "  "}, "key_wrong_shape"),
        ({"provider": "openai", "key": f"Bearer {CANARY}"}, "key_wrong_shape"),
        ({"provider": "openai", "key": CANARY * 1000}, "key_wrong_shape"),
        ({"provider": "openai", "key": CANARY + "\x00"}, "key_wrong_shape"),
        ({"provider": "anthropic", "key": CANARY}, "key_wrong_shape"),
        ({"provider": "demo", "key": CANARY}, "key_wrong_shape"),
        ({"provider": "nobody", "key": CANARY}, "unknown_provider"),
    ],
)
def test_a_wrong_key_is_refused_helpfully_and_not_quoted(
    alice_client: APIClient, given: dict[str, Any], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = alice_client.post(KEYS, given)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert response["content-type"] == "application/problem+json"
    assert not shows(body(response), CANARY)
    assert not shows(caplog.text, CANARY)
    assert not ProviderKey.objects.exists()
    if code == "key_wrong_shape":
        assert response.json()["errors"]["key"][0]["message"]


def test_a_key_is_replaced_and_relabelled(alice_client: APIClient, key: ProviderKey) -> None:
    replaced = alice_client.put(f"{KEYS}{key.pk}/", {"key": "sk-proj-another-0123456789"})
    assert (replaced.status_code, replaced.json()["hint"]) == (200, "6789")
    assert not shows(body(replaced), "sk-proj-another-0123456789")
    relabelled = alice_client.patch(f"{KEYS}{key.pk}/", {"label": "home"})
    assert (relabelled.status_code, relabelled.json()["label"]) == (200, "home")
    refused = alice_client.put(f"{KEYS}{key.pk}/", {"key": "sk-ant-0123456789abc"})
    assert refused.json()["code"] == "key_wrong_shape"
    assert ProviderKey.objects.get().version == 2


def test_provider_and_owner_of_a_key_cannot_be_changed(
    alice_client: APIClient, key: ProviderKey, bob: User
) -> None:
    given = {"label": "x", "provider": "mistral", "owner": str(bob.pk), "status": "ok", "key": "x" * 20}
    assert alice_client.patch(f"{KEYS}{key.pk}/", given).status_code == 200
    key.refresh_from_db()
    assert (key.provider, key.owner.email, key.status) == ("openai", "alice@example.com", "untested")


def test_a_key_is_deleted(alice_client: APIClient, key: ProviderKey) -> None:
    assert alice_client.delete(f"{KEYS}{key.pk}/").status_code == 204
    assert alice_client.delete(f"{KEYS}{key.pk}/").status_code == 404
    assert not ProviderKey.objects.exists()


def test_a_key_is_tested(alice_client: APIClient, key: ProviderKey, provider: FakeProvider) -> None:
    provider.body = f'{{"error": "Incorrect key {CANARY}"}}'.encode()
    provider.status = 401
    response = alice_client.post(f"{KEYS}{key.pk}/test/")
    assert response.status_code == 200
    assert (response.json()["code"], response.json()["key"]["status"]) == ("refused", "refused")
    assert not shows(body(response), CANARY)
    provider.status = 200
    assert alice_client.post(f"{KEYS}{key.pk}/test/").json()["key"]["status"] == "ok"


def test_testing_is_limited(alice_client: APIClient, key: ProviderKey, provider: FakeProvider) -> None:
    answers = [alice_client.post(f"{KEYS}{key.pk}/test/") for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[-1].json()["code"] == "slow_down"
    assert alice_client.get(KEYS).status_code == 200


def test_a_swapped_row_is_one_clear_error(alice_client: APIClient, key: ProviderKey, bob: User) -> None:
    services.create(owner_id=bob.pk, provider="openai", value=Secret("sk-bob-0123456789abcdef"))
    other = ProviderKey.objects.values("ciphertext", "nonce").get(owner=bob)
    ProviderKey.objects.filter(pk=key.pk).update(**other)
    response = alice_client.post(f"{KEYS}{key.pk}/test/")
    assert (response.status_code, response.json()["code"]) == (409, "key_unreadable")


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("put", ""), ("patch", ""), ("delete", ""), ("post", "test/")],
)
def test_a_stranger_s_key_does_not_exist(
    charlie_client: APIClient, anonymous_client: APIClient, key: ProviderKey, method: str, path: str
) -> None:
    given = {"key": "sk-proj-another-0123456789", "label": "x"}
    stranger = getattr(charlie_client, method)(f"{KEYS}{key.pk}/{path}", given)
    nobody = getattr(anonymous_client, method)(f"{KEYS}{key.pk}/{path}", given)
    missing = getattr(charlie_client, method)(f"{KEYS}{uuid.uuid4()}/{path}", given)
    assert (stranger.status_code, nobody.status_code) == (404, 401)
    assert stranger.content == missing.content
    key.refresh_from_db()
    assert (key.version, key.label) == (1, "work")


def test_lists_are_one_s_own(
    charlie_client: APIClient, key: ProviderKey, anonymous_client: APIClient
) -> None:
    assert charlie_client.get(KEYS).json()["results"] == []
    assert anonymous_client.get(KEYS).status_code == 401
    assert charlie_client.get(KEYS, {"provider": "openai"}).json()["results"] == []


def test_a_key_cannot_be_found_under_a_name_that_is_no_id(alice_client: APIClient) -> None:
    assert alice_client.get(f"{KEYS}nonsense/").status_code == 404


def test_tokens_need_the_scope(alice: User, key: ProviderKey) -> None:
    def client(*scopes: str) -> APIClient:
        _, text = tokens.issue(user_id=alice.pk, name="t", scopes=scopes, expires_at=None)
        bearer = client_of(None)
        bearer.credentials(HTTP_AUTHORIZATION=f"Bearer {text.reveal()}")
        return bearer

    given = {"provider": "mistral", "key": "0123456789"}
    assert client(Scope.READ).get(KEYS).status_code == 200
    for scope in (Scope.READ, Scope.WRITE):
        refused = client(scope).post(KEYS, given)
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert client(Scope.ADMIN).post(KEYS, given).status_code == 201


def test_the_catalogue_says_what_one_has_a_key_for(
    alice_client: APIClient, charlie_client: APIClient, key: ProviderKey, anonymous_client: APIClient
) -> None:
    page = alice_client.get("/api/v1/providers/").json()
    assert (page["next"], page["previous"]) == (None, None)
    entries = {entry["id"]: entry for entry in page["results"]}
    assert page["results"][0]["id"] == "demo"
    assert entries["claude-plan"]["agents"] == ["claude"]
    assert entries["openai"] | {"models": []} == {
        "agents": [],
        "enters_box": False,
        "id": "openai",
        "name": "OpenAI",
        "wire": "openai-responses",
        "kind": "models",
        "needs_key": True,
        "key_hint_format": "sk-…",
        "key_page": "https://platform.openai.com/api-keys",
        "models": [],
        "custom_base_url": False,
        "address": "fixed",
        "address_example": "",
        "note": "",
        "has_key": True,
    }
    assert entries["openai"]["models"][0].keys() == {"id", "name"}
    assert not entries["anthropic"]["has_key"]
    others = charlie_client.get("/api/v1/providers/").json()["results"]
    assert not any(entry["has_key"] for entry in others)
    assert anonymous_client.get("/api/v1/providers/").status_code == 401
