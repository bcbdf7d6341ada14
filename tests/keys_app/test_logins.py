"""Of a plan's login only what a call needs is kept, and it is for its owner alone."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from keys_app import key_format, logins, providers, services, sharing
from keys_app.models import ProviderKey
from openagent.accounts.models import User
from openagent.lib.redact import Secret
from sidecar.protocol import login

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
