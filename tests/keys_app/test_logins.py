"""Of a plan's login only what a call needs is kept, and it is for its owner alone."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from rest_framework.test import APIClient

from keys_app import key_format, logins, providers, services, sharing
from keys_app.models import KeyAction, KeyUse, ProviderKey
from openagent.accounts.models import User
from openagent.lib.redact import Secret
from sidecar.protocol import login, sealing

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PLAN = providers.get("chatgpt-plan")


def token(**claims: Any) -> str:
    """A JSON web token as OpenAI makes them, with a signature that nobody checks here."""
    body = {"exp": int((NOW + timedelta(days=9)).timestamp()), **claims}
    parts = [json.dumps({"alg": "none"}), json.dumps(body), "CANARY-signature"]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


def auth_json(access: str, **tokens: Any) -> str:
    """Codex's file."""
    given = {"id_token": "i.d.t", "access_token": access, "refresh_token": "CANARY-refresh", **tokens}
    return json.dumps({"OPENAI_API_KEY": None, "tokens": given, "last_refresh": "2026-11-20"}, indent=2)


def test_what_could_renew_the_login_is_not_kept() -> None:
    kept = logins.read(PLAN, Secret(auth_json(token(), account_id="acc-1")), now=NOW).reveal()
    assert login.unpack(kept) == login.ChatGPT(access_token=token(), account_id="acc-1")
    assert "CANARY-refresh" not in kept and "i.d.t" not in kept
    assert login.secret_of(kept) == token()
    assert logins.read(PLAN, Secret(kept), now=NOW).reveal() == kept


def test_the_account_may_stand_in_the_token() -> None:
    access = token(**{"https://api.openai.com/auth": {"chatgpt_account_id": "acc-2"}})
    kept = logins.read(PLAN, Secret(auth_json(access)), now=NOW).reveal()
    assert login.unpack(kept).account_id == "acc-2"


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("sk-proj-CANARY", "begins with {"),
        ("[" * 100_000, "too long"),
        ("[" * 20_000, "begins with {"),
        ("[]", "begins with {"),
        ('{"OPENAI_API_KEY": "sk-CANARY", "tokens": null}', "no login of a plan"),
        ('{"tokens": {"access_token": 7}}', "no login of a plan"),
        (auth_json("not-a-jwt"), "which account"),
        (auth_json("a.bm90IGpzb24.c"), "which account"),
        (auth_json(token(exp=1), account_id="acc"), "has expired"),
        (auth_json("a b", account_id="acc"), "characters"),
        (auth_json("CANARY", account_id="acc\r\nx-evil: 1"), "characters"),
        ('{"tokens": {"access_token": "\\ud800", "account_id": "a"}}', "characters"),
    ],
)
def test_a_wrong_paste_is_explained_and_not_quoted(pasted: str, words: str) -> None:
    with pytest.raises(key_format.BadKey) as caught:
        key_format.check(PLAN, Secret(pasted))
    assert words in caught.value.message
    assert "CANARY" not in caught.value.message


@pytest.mark.django_db
def test_a_login_is_kept_as_a_key_with_a_hint_of_its_token(alice_client: APIClient) -> None:
    access = token(exp=int((datetime.now(UTC) + timedelta(days=1)).timestamp()))
    given = {"provider": PLAN.id, "key": auth_json(access, account_id="acc-1")}
    made = alice_client.post("/api/v1/keys/", given, format="json")
    assert (made.status_code, made.json()["hint"]) == (201, access[-4:])
    assert access not in made.content.decode()
    tested = alice_client.post(f"/api/v1/keys/{made.json()['id']}/test/").json()
    assert (tested["code"], tested["key"]["status"]) == ("not_testable", "untested")


@pytest.mark.django_db
def test_a_login_is_not_shared(admin: User) -> None:
    key = services.create(owner_id=admin.pk, provider="claude-plan", value=Secret("sk-ant-oat01-0123456789"))
    with pytest.raises(logins.NotShareable):
        sharing.share(key, everyone=True, groups=[])
    assert not ProviderKey.objects.get(pk=key.pk).is_for_everyone
    sharing.share(key, everyone=False, groups=[])


@pytest.mark.django_db
def test_a_login_that_enters_the_box_is_kept_only_with_its_owners_consent(
    alice: User, alice_client: APIClient
) -> None:
    given = {"provider": "copilot-login", "key": "github_pat_0123456789abcdef"}
    for more in ({}, {"agrees_to_box": False}):
        refused = alice_client.post("/api/v1/keys/", given | more, format="json")
        assert (refused.status_code, refused.json()["code"]) == (400, "consent_required")
        assert "agrees_to_box" in refused.json()["errors"]
    made = alice_client.post("/api/v1/keys/", given | {"agrees_to_box": True}, format="json")
    key = ProviderKey.objects.get(pk=made.json()["id"])
    assert made.status_code == 201 and made.json()["box_consent_at"]
    assert key.box_consent_by == alice and key.box_consent_at is not None
    actions = KeyUse.objects.filter(key=key.pk).order_by("pk").values_list("action", flat=True)
    assert list(actions) == [KeyAction.MADE, KeyAction.CONSENTED]


@pytest.mark.django_db
def test_a_login_that_enters_the_box_is_sealed_only_with_consent(alice: User) -> None:
    value = Secret("github_pat_0123456789abcdef")
    key = services.create(owner_id=alice.pk, provider="copilot-login", value=value, agrees_to_box=True)
    pair = X25519PrivateKey.generate()
    public_key = sealing.to_text(pair.public_key().public_bytes_raw())

    def seal(nonce: bytes) -> str:
        where: dict[str, Any] = {"key_id": key.pk, "session_id": uuid.uuid4(), "generation": 1}
        return services.seal_for(**where, public_key=public_key, nonce=sealing.to_text(nonce))

    assert seal(b"a" * 16)
    ProviderKey.objects.update(box_consent_at=None)
    with pytest.raises(services.ConsentRequired):
        seal(b"b" * 16)


@pytest.mark.django_db
def test_nobody_has_to_agree_to_what_stays_outside(alice: User) -> None:
    key = services.create(owner_id=alice.pk, provider="claude-plan", value=Secret("sk-ant-oat01-0123456789"))
    assert (key.box_consent_at, key.box_consent_by) == (None, None)
