"""Access tokens: shown once, kept as a digest, limited by scope and time, and one's own."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from openagent.accounts import tokens
from openagent.accounts.models import AccessToken, Scope, User
from openagent.lib.redact import spellings
from tests.conftest import client_of

TOKENS = "/api/v1/tokens/"
ME = "/api/v1/me/"


@pytest.fixture(autouse=True)
def no_throttle_of_another_test() -> None:
    cache.clear()


def bearer(text: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def issue(user: User, *scopes: str, days: float | None = None) -> tuple[AccessToken, str]:
    expires_at = timezone.now() + timedelta(days=days) if days else None
    token, text = tokens.issue(user_id=user.pk, name="t", scopes=scopes or ["read"], expires_at=expires_at)
    return token, text.reveal()


def test_a_token_is_made_shown_once_and_works(alice: User, alice_client: APIClient) -> None:
    made = alice_client.post(TOKENS, {"name": "laptop"})
    assert made.status_code == 201
    text = made.json()["token"]
    assert text.startswith("oat_")
    assert len(text) >= 64
    assert made.json()["scopes"] == ["read"]
    assert bearer(text).get(ME).json()["id"] == str(alice.pk)
    listed = alice_client.get(TOKENS)
    [one] = listed.json()["results"]
    assert one.keys() == {"id", "name", "scopes", "expires_at", "last_used_at", "created_at"}
    assert one["last_used_at"] is not None
    assert alice_client.get(f"{TOKENS}{one['id']}/").json() == one
    row = repr(AccessToken.objects.values().get())
    assert not any(form in listed.content.decode() + row for form in spellings(text))


def test_a_token_ends_when_it_is_told_to(alice_client: APIClient) -> None:
    default = alice_client.post(TOKENS, {"name": "default"}).json()
    assert default["expires_at"] is not None
    endless = alice_client.post(TOKENS, {"name": "endless", "expires_at": None}).json()
    assert endless["expires_at"] is None
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    short = alice_client.post(TOKENS, {"name": "short", "expires_at": soon}).json()
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert bearer(short["token"]).get(ME).status_code == 401
        assert bearer(default["token"]).get(ME).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=1000)):
        assert bearer(default["token"]).get(ME).status_code == 401
        assert bearer(endless["token"]).get(ME).status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"name": ""},
        {"name": "x" * 81},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["root"]},
        {"name": "x", "scopes": "read"},
        {"name": "x", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "x", "expires_at": "soon"},
    ],
)
def test_bad_input_makes_no_token(alice_client: APIClient, given: dict[str, object]) -> None:
    response = alice_client.post(TOKENS, given)
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    ("scopes", "kept"),
    [
        (["read"], ["read"]),
        (["write"], ["read", "write"]),
        (["admin"], ["read", "write", "admin"]),
        (["write", "read", "write"], ["read", "write"]),
    ],
)
def test_a_scope_brings_what_it_includes(alice_client: APIClient, scopes: list[str], kept: list[str]) -> None:
    assert alice_client.post(TOKENS, {"name": "x", "scopes": scopes}).json()["scopes"] == kept


def test_a_token_makes_tokens_only_with_the_admin_scope(alice: User) -> None:
    for scope in (Scope.READ, Scope.WRITE):
        client = bearer(issue(alice, scope)[1])
        assert client.get(TOKENS).status_code == 200
        refused = client.post(TOKENS, {"name": "more", "scopes": ["admin"]})
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
        assert client.delete(f"{TOKENS}{AccessToken.objects.first().pk}/").status_code == 403  # type: ignore[union-attr]
    assert bearer(issue(alice, Scope.ADMIN)[1]).post(TOKENS, {"name": "more"}).status_code == 201


def test_a_deleted_token_is_dead_at_once(alice: User, alice_client: APIClient) -> None:
    token, text = issue(alice)
    assert bearer(text).get(ME).status_code == 200
    assert alice_client.delete(f"{TOKENS}{token.pk}/").status_code == 204
    refused = bearer(text).get(ME)
    assert (refused.status_code, refused.json()["code"]) == (401, "bad_token")
    assert refused["www-authenticate"] == "Bearer"


def test_a_token_ends_with_its_user(alice: User) -> None:
    _, text = issue(alice)
    User.objects.update(is_active=False)
    assert bearer(text).get(ME).status_code == 401


@pytest.mark.parametrize(
    "text", ["", "oat_", "oat_" + "0" * 64, "x", "oat_ä", "oat_" + "0" * 10_000, "oat_a b"]
)
def test_a_wrong_token_is_an_error_even_with_a_good_cookie(alice_client: APIClient, text: str) -> None:
    response = alice_client.get(ME, HTTP_AUTHORIZATION=f"Bearer {text}".encode().decode("latin-1"))
    assert response.status_code == 401


def test_other_schemes_are_not_ours(alice_client: APIClient) -> None:
    assert alice_client.get(ME, HTTP_AUTHORIZATION="Basic YWxpY2U6eA==").status_code == 200


def test_a_token_needs_no_csrf_token(alice: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue(alice, Scope.ADMIN)[1]}")
    assert client.post(TOKENS, {"name": "x"}).status_code == 201
    with_cookie = APIClient(enforce_csrf_checks=True)
    with_cookie.force_login(alice)
    assert with_cookie.post(TOKENS, {"name": "x"}).status_code == 403


def test_use_is_noted_once_a_minute(alice: User) -> None:
    token, text = issue(alice)
    start = timezone.now()
    for seconds, noted in [(0, 0), (30, 0), (59, 0), (61, 61), (100, 61)]:
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            assert tokens.find(text)
        token.refresh_from_db()
        assert token.last_used_at == start + timedelta(seconds=noted)


def test_strangers_have_their_own(
    alice: User, charlie_client: APIClient, anonymous_client: APIClient
) -> None:
    token, _ = issue(alice)
    path = f"{TOKENS}{token.pk}/"
    missing = charlie_client.get(f"{TOKENS}{uuid.uuid4()}/")
    assert charlie_client.get(path).status_code == charlie_client.delete(path).status_code == 404
    assert charlie_client.get(path).content == missing.content
    assert charlie_client.get(TOKENS).json()["results"] == []
    assert anonymous_client.get(path).status_code == anonymous_client.get(TOKENS).status_code == 401
    assert AccessToken.objects.exists()


def test_there_is_an_end_to_how_many_one_may_have(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 1)
    issue(bob)
    issue(alice)
    response = client_of(alice).post(TOKENS, {"name": "more"})
    assert (response.status_code, response.json()["code"]) == (409, "too_many_tokens")
