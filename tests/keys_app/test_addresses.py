"""A key may say itself where it is used: only where that makes sense, only in public, and bound to it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.conf import LazySettings
from django.core.cache import cache
from rest_framework.test import APIClient

from keys_app import addresses, providers, services
from keys_app.models import ProviderKey
from openagent.accounts.models import User
from openagent.lib import safe_http
from openagent.lib.redact import Secret
from sidecar.protocol import sealing

KEYS = "/api/v1/keys/"
HERE = "https://models.example.com/v1"
THERE = "https://elsewhere.example.com/v1"
VALUE = "any-word-that-is-a-key"
SESSION = uuid.UUID("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")


@pytest.fixture
def placed(alice: User) -> ProviderKey:
    """Alice's key for an endpoint of her own."""
    return services.create(owner_id=alice.pk, provider="compatible", value=Secret(VALUE), base_url=HERE)


def test_who_needs_an_address_says_so_and_gets_it(alice_client: APIClient) -> None:
    given = {"provider": "compatible", "key": VALUE}
    refused = alice_client.post(KEYS, given)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_base_url")
    made = alice_client.post(KEYS, {**given, "base_url": f" {HERE}/ "})
    assert (made.status_code, made.json()["base_url"]) == (201, HERE)


def test_a_provider_with_an_address_of_its_own_takes_no_other(alice: User) -> None:
    with pytest.raises(addresses.BadAddress, match="cannot be chosen"):
        services.create(owner_id=alice.pk, provider="openai", value=Secret(VALUE), base_url=HERE)
    region = "https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1"
    for base_url in ("", region):
        key = services.create(owner_id=alice.pk, provider="bedrock", value=Secret(VALUE), base_url=base_url)
        assert key.base_url == base_url


@pytest.mark.parametrize(
    "base_url",
    [
        *("http://models.example.com/v1", "https://models.example.com:8443/v1", "ftp://models.example.com"),
        *("https://user@models.example.com/v1", "https://models.example.com/v1?key=1", "models.example.com"),
        *("https://models.example.com/v1#x", "https://models.example.com/v1?", "https://"),
        *("https://localhost/v1", "https://intranet/v1", "https://127.1/v1", "https://0x7f000001/v1"),
        *("https://169.254.169.254/v1", "https://10.0.0.1/v1", "https://[::1]/v1", "https://2130706433"),
        *("https://[64:ff9b::a9fe:a9fe]/v1", "https://[::ffff:127.0.0.1]/", "https://017700000001/"),
        *("https://models.example.com\\@evil/", "https://models.example.com/" + "x" * 300),
    ],
)
def test_an_address_that_is_not_plainly_public_is_refused(base_url: str) -> None:
    with pytest.raises(addresses.BadAddress):
        addresses.check(providers.get("compatible"), base_url)


def test_where_the_administrator_says_where_it_is_nobody_else_does(settings: LazySettings) -> None:
    settings.OPENAGENT_PROVIDER_BASE_URLS = {"compatible": "http://10.0.0.5:8000/v1"}
    assert addresses.check(providers.get("compatible"), "") == ""
    with pytest.raises(addresses.BadAddress):
        addresses.check(providers.get("compatible"), HERE)
    frame = providers.get("compatible").frame()
    assert (frame.base_url, frame.is_own_address) == ("http://10.0.0.5:8000/v1", False)


def test_another_address_needs_the_key_again(alice_client: APIClient, placed: ProviderKey) -> None:
    path = f"{KEYS}{placed.pk}/"
    refused = alice_client.patch(path, {"base_url": THERE})
    assert (refused.status_code, refused.json()["code"]) == (400, "key_required")
    assert alice_client.patch(path, {"base_url": HERE + "/", "label": "x"}).json()["label"] == "x"
    placed.refresh_from_db()
    assert (placed.base_url, placed.version) == (HERE, 1)
    moved = alice_client.patch(path, {"base_url": THERE, "key": "another-word-0123"})
    assert (moved.status_code, moved.json()["base_url"], moved.json()["hint"]) == (200, THERE, "")
    replaced = alice_client.put(path, {"key": "a-third-word-0123"})
    assert replaced.json()["base_url"] == THERE


def test_an_address_that_is_changed_by_hand_opens_nothing(placed: ProviderKey) -> None:
    ProviderKey.objects.update(base_url=THERE)
    with pytest.raises(services.KeyUnreadable):
        services.test(ProviderKey.objects.get())


def test_a_key_is_tested_where_it_is_used(placed: ProviderKey, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Any]] = []

    def fetch(method: str, url: str, **more: Any) -> safe_http.Answer:
        asked.append((url, more["trusted"]))
        return safe_http.Answer(200, {}, b"{}")

    monkeypatch.setattr(safe_http, "fetch", fetch)
    assert services.test(placed)[1].code == "ok"
    assert asked == [(HERE + "/models", [])], "what a user chose is not trusted"


@pytest.mark.parametrize("told", ["", THERE])
def test_a_key_is_sealed_for_its_own_address_only(placed: ProviderKey, told: str) -> None:
    sidecar = X25519PrivateKey.generate()
    request: dict[str, Any] = {
        "key_id": placed.pk,
        "session_id": SESSION,
        "generation": 1,
        "public_key": sealing.to_text(sidecar.public_key().public_bytes_raw()),
        "nonce": sealing.to_text(bytes(16)),
    }
    with pytest.raises(services.KeyMoved):
        services.seal_for(**request, base_url=told)
    sealed = sealing.from_text(services.seal_for(**request, base_url=HERE))
    purpose: dict[str, Any] = {
        "session": str(SESSION),
        "generation": 1,
        "provider": "compatible",
        "nonce": bytes(16),
    }
    with pytest.raises(sealing.SealingError):
        sealing.open(sidecar, sealed, sealing.info(**purpose, base_url=told))
    assert sealing.open(sidecar, sealed, sealing.info(**purpose, base_url=HERE)).decode() == VALUE


def test_of_several_the_one_for_the_address_is_chosen(placed: ProviderKey, alice: User) -> None:
    services.create(owner_id=alice.pk, provider="compatible", value=Secret(VALUE), base_url=THERE)
    chosen = services.choose(owner_id=alice.pk, provider="compatible", base_url=HERE)
    assert chosen == placed
    address = services.address_of(owner_id=alice.pk, provider="compatible", key_id=placed.pk)
    assert address == HERE
    assert services.address_of(owner_id=alice.pk, provider="openai", key_id=None) == ""


@pytest.fixture(autouse=True)
def no_throttle_of_another_test() -> None:
    cache.clear()
