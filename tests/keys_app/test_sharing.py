"""What an administrator shares others can use and not read, change or see used; whoever leaves loses it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from rest_framework.test import APIClient

from keys_app import services, sharing, uses
from keys_app.models import KeyAction, KeyUse, ProviderKey
from openagent.accounts.models import User
from openagent.lib.redact import Secret
from sidecar.protocol import sealing
from tests.conftest import client_of
from tests.keys_app.conftest import CANARY

KEYS = "/api/v1/keys/"
SESSION = uuid.UUID("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")


@pytest.fixture
def bob_client(bob: User) -> APIClient:
    return client_of(bob)


@pytest.fixture
def team(bob: User) -> Group:
    """Bob is in it."""
    group = Group.objects.create(name="team")
    bob.groups.add(group)
    return group


@pytest.fixture
def shared(admin: User, team: Group) -> ProviderKey:
    """The administrator's key, for Bob's team."""
    key = services.create(owner_id=admin.pk, provider="openai", value=Secret(CANARY), label="company")
    return sharing.share(key, everyone=False, groups=[team])


def usable(user: User) -> list[ProviderKey]:
    return list(ProviderKey.objects.usable_by(user.pk))


def test_it_is_for_the_group_and_for_nobody_else(
    shared: ProviderKey, admin: User, bob: User, charlie: User
) -> None:
    assert [usable(user) for user in (admin, bob, charlie)] == [[shared], [shared], []]
    assert services.choose(owner_id=bob.pk, provider="openai") == shared
    with pytest.raises(services.KeyMissing):
        services.choose(owner_id=charlie.pk, provider="openai", key_id=shared.pk)
    sharing.share(shared, everyone=True, groups=[])
    assert usable(charlie) == [shared]


def test_several_ways_to_one_key_are_one_key(shared: ProviderKey, bob: User, team: Group) -> None:
    second = Group.objects.create(name="second")
    bob.groups.add(second)
    sharing.share(shared, everyone=True, groups=[team, second])
    assert usable(bob) == [shared]


def test_one_s_own_key_comes_first(shared: ProviderKey, bob: User) -> None:
    own = services.create(owner_id=bob.pk, provider="openai", value=Secret("sk-bob-0123456789"))
    sharing.share(shared, everyone=True, groups=[])
    assert services.choose(owner_id=bob.pk, provider="openai") == own
    assert services.choose(owner_id=bob.pk, provider="openai", key_id=shared.pk) == shared
    ProviderKey.objects.filter(pk=own.pk).update(status="refused")
    assert services.choose(owner_id=bob.pk, provider="openai") == shared


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}], ids=str)
def test_with_its_administrator_it_ends(
    shared: ProviderKey, admin: User, bob: User, change: dict[str, bool]
) -> None:
    User.objects.filter(pk=admin.pk).update(**change)
    assert usable(bob) == []


def test_only_administrators_share(key: ProviderKey, alice_client: APIClient) -> None:
    answer = alice_client.put(f"{KEYS}{key.pk}/sharing/", {"everyone": True})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_an_administrator")
    key.refresh_from_db()
    assert not key.is_for_everyone


def test_an_administrator_shares_by_the_api(admin: User, team: Group) -> None:
    client = client_of(admin)
    key = services.create(owner_id=admin.pk, provider="openai", value=Secret(CANARY))
    path = f"{KEYS}{key.pk}/sharing/"
    refused = client.put(path, {"groups": ["nobody"]})
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_group")
    answer = client.put(path, {"groups": ["team"]})
    assert answer.json()["sharing"] == {"everyone": False, "groups": ["team"]}
    assert KeyUse.objects.filter(action=KeyAction.SHARED).get().detail == "team"
    assert client.put(path, {}).json()["sharing"] == {"everyone": False, "groups": []}


def test_who_may_use_it_sees_what_it_is_and_no_more(
    shared: ProviderKey, bob_client: APIClient, charlie_client: APIClient
) -> None:
    ProviderKey.objects.update(last_used_at=shared.created_at)
    [seen] = bob_client.get(KEYS).json()["results"]
    assert (seen["label"], seen["hint"], seen["is_shared_with_me"]) == ("company", CANARY[-4:], True)
    assert (seen["sharing"], seen["last_used_at"], seen["base_url"]) == (None, None, "")
    assert bob_client.get(f"{KEYS}{shared.pk}/").json() == seen
    assert charlie_client.get(KEYS).json()["results"] == []
    assert charlie_client.get(f"{KEYS}{shared.pk}/").status_code == 404
    catalogue = bob_client.get("/api/v1/providers/").json()["results"]
    assert [entry["id"] for entry in catalogue if entry["has_key"]] == ["openai"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("put", ""), ("patch", ""), ("delete", ""), ("post", "test/")),
        *(("get", "uses/"), ("put", "sharing/")),
    ],
)
def test_who_may_use_it_may_do_nothing_else(
    shared: ProviderKey, bob_client: APIClient, charlie_client: APIClient, method: str, path: str
) -> None:
    given = {"key": "sk-proj-another-0123456789", "label": "mine", "everyone": True}
    for client in (bob_client, charlie_client):
        assert getattr(client, method)(f"{KEYS}{shared.pk}/{path}", given).status_code == 404
    shared.refresh_from_db()
    assert (shared.version, shared.label, shared.is_for_everyone) == (1, "company", False)


def seal(key: ProviderKey, user: User, *, nonce: int = 0) -> None:
    services.seal_for(
        key_id=key.pk,
        user_id=user.pk,
        session_id=SESSION,
        generation=1,
        public_key=sealing.to_text(bytes([9, *bytes(31)])),
        nonce=sealing.to_text(nonce.to_bytes(16, "big")),
    )


def test_the_owner_sees_who_used_it_but_not_their_sessions(
    shared: ProviderKey, admin: User, bob: User
) -> None:
    seal(shared, bob)
    seal(shared, admin, nonce=1)
    rows = client_of(admin).get(f"{KEYS}{shared.pk}/uses/").json()["results"]
    assert [(row["action"], row["user"], row["session"]) for row in rows] == [
        ("sealed", admin.email, str(SESSION)),
        ("sealed", bob.email, None),
        ("shared", None, None),
        ("made", None, None),
    ]


@pytest.mark.parametrize("loss", ["leaves", "group goes", "unshared", "owner is no administrator"])
def test_whoever_loses_it_is_found_on_live_links_once(
    shared: ProviderKey, admin: User, bob: User, team: Group, loss: str
) -> None:
    seal(shared, admin)
    seal(shared, bob, nonce=1)
    assert uses.outdated([SESSION]) == []
    match loss:
        case "leaves":
            bob.groups.remove(team)
        case "group goes":
            team.delete()
        case "unshared":
            sharing.share(shared, everyone=False, groups=[])
        case _:
            User.objects.filter(pk=admin.pk).update(is_staff=False)
    [lost] = uses.outdated([SESSION])
    assert (lost.session, lost.generation, lost.provider) == (SESSION, 1, "openai")
    assert uses.outdated([SESSION]) == [lost], "with one number, so that it is told once"


def test_of_several_keys_only_the_last_one_matters(
    shared: ProviderKey, key: ProviderKey, bob: User, team: Group
) -> None:
    """A generation holds one key for a provider: what became of those before ends no call."""
    seal(shared, bob)
    seal(key, key.owner, nonce=1)
    bob.groups.remove(team)
    services.delete(shared)
    assert uses.outdated([SESSION]) == []


def test_the_admin_shares_one_s_own_keys_only(
    shared: ProviderKey, key: ProviderKey, admin: User, charlie: User, team: Group
) -> None:
    client = client_of(admin)
    given: dict[str, Any] = {"is_for_everyone": "on", "groups": [str(team.pk)], "provider": "mistral"}

    def post(row: ProviderKey) -> int:
        path = reverse("admin:keys_app_providerkey_change", args=[row.pk])
        return int(client.post(path, given, format="multipart").status_code)

    assert (post(shared), post(key)) == (302, 403)
    shared.refresh_from_db()
    assert (shared.provider, shared.is_for_everyone) == ("openai", True)
    assert usable(charlie) == [shared]
