"""The admin lists and deletes keys, and can neither show nor change one."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from keys_app.models import KeyAction, KeyUse, ProviderKey
from openagent.accounts import deletion
from openagent.accounts.models import User
from openagent.lib.redact import spellings
from tests.conftest import client_of
from tests.keys_app.conftest import CANARY


@pytest.fixture
def admin_client(admin: User) -> APIClient:
    return client_of(admin)


def test_pages_show_no_key_and_no_ciphertext(admin_client: APIClient, key: ProviderKey) -> None:
    pages: list[tuple[str, list[object]]] = [
        ("keys_app_providerkey_changelist", []),
        ("keys_app_providerkey_change", [key.pk]),
        ("keys_app_keyuse_changelist", []),
        ("keys_app_keyuse_change", [KeyUse.objects.get().pk]),
    ]
    for name, arguments in pages:
        page = admin_client.get(reverse(f"admin:{name}", args=arguments))
        assert page.status_code == 200
        text = page.content.decode()
        for secret in (CANARY, key.ciphertext.hex(), repr(key.ciphertext)[2:-1], key.wrapped_dek.hex()):
            assert not any(form in text for form in spellings(secret))


def test_nothing_can_be_written(admin_client: APIClient, key: ProviderKey) -> None:
    def refused(name: str, *arguments: object) -> bool:
        path = reverse(f"admin:keys_app_{name}", args=arguments)
        given = {"provider": "xai", "ciphertext": "x", "post": "yes"}
        return admin_client.post(path, given, format="multipart").status_code == 403

    assert refused("providerkey_change", key.pk)
    assert refused("providerkey_add")
    assert refused("keyuse_delete", KeyUse.objects.get().pk)
    key.refresh_from_db()
    assert key.provider == "openai"
    assert KeyUse.objects.exists()


@pytest.mark.parametrize("way", ["one", "several"])
def test_a_deleted_key_goes_through_the_service(admin_client: APIClient, key: ProviderKey, way: str) -> None:
    if way == "one":
        path, given = reverse("admin:keys_app_providerkey_delete", args=[key.pk]), {"post": "yes"}
    else:
        path = reverse("admin:keys_app_providerkey_changelist")
        given = {"action": "delete_selected", "_selected_action": str(key.pk), "post": "yes"}
    assert admin_client.post(path, given, format="multipart").status_code == 302
    assert not ProviderKey.objects.exists()
    assert KeyUse.objects.filter(action=KeyAction.DELETED).exists()


@pytest.mark.parametrize("way", ["one", "several"])
def test_a_user_can_be_deleted_with_everything(
    admin_client: APIClient, key: ProviderKey, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[uuid.UUID, bool]] = []

    def listen(user_id: uuid.UUID) -> None:
        told.append((user_id, ProviderKey.objects.filter(owner=user_id).exists()))

    monkeypatch.setattr(deletion, "_listeners", [])
    deletion.subscribe(listen)
    if way == "one":
        path, given = reverse("admin:accounts_user_delete", args=[key.owner_id]), {"post": "yes"}
    else:
        path = reverse("admin:accounts_user_changelist")
        given = {"action": "delete_selected", "_selected_action": str(key.owner_id), "post": "yes"}
    assert admin_client.post(path, given, format="multipart").status_code == 302
    assert not User.objects.filter(pk=key.owner_id).exists()
    assert told == [(key.owner_id, True)], "before anything goes"
