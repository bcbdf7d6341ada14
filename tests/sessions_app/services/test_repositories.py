"""A session's repository: which are taken, what the gate is told of it, and who may have its token."""

from __future__ import annotations

import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from keys_app import services as keys
from keys_app.models import KeyAction, KeyUse
from openagent.accounts.models import User
from openagent.lib.errors import AppError
from openagent.lib.redact import Secret
from sessions_app import relay
from sessions_app.models import EgressBounds, Instance
from sessions_app.services import agents, choices, links, pool, repositories
from sidecar.protocol import frames, sealing
from sidecar.protocol.git import Repository
from tests.sessions_app.conftest import make_instance, make_session

pytestmark = pytest.mark.django_db
URL = "https://github.com/team/app"
TOKEN = "ghp_CANARY0123456789"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (" https://GitHub.com/team/app.git/ ", URL),
        ("https://github.com:443/team/app", URL),
        ("https://gitlab.com/a/b/c.d", "https://gitlab.com/a/b/c.d"),
    ],
)
def test_an_address_is_kept_in_one_way(url: str, kept: str) -> None:
    fields = repositories.fields({"url": url, "branch": " main "})
    assert fields == {"repository_url": kept, "repository_branch": "main"}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "HTTPS only"),
        ("http://github.com/team/app", "HTTPS only"),
        ("git@github.com:team/app.git", "HTTPS only"),
        ("https://me:ghp_x@github.com/team/app", "Leave out user and password"),
        ("https://github.com/team/app?x=1", "nothing more"),
        ("https://github.com/team/app#x", "nothing more"),
        ("https://github.com/team", "no repository in it"),
        ("https://github.com/team/../app", "no repository in it"),
        ("https://github.com/team//app", "no repository in it"),
        ("https://github.com/team/%2e%2e/app", "no repository in it"),
        ("https://github.com:99999/team/app", "not an address"),
        ("https://github.com:8443/team/app", "may be at github.com, gitlab.com"),
        ("https://evil.example/team/app", "may be at github.com, gitlab.com"),
        ("https://github.com.evil.example/team/app", "may be at github.com, gitlab.com"),
    ],
)
def test_other_addresses_are_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(choices.Invalid, match=words) as caught:
        repositories.fields({"url": url})
    errors = caught.value.fields["errors"]
    assert isinstance(errors, dict) and errors.keys() == {"repository"}


@pytest.mark.parametrize("branch", ["-u", "a..b", "a b", "a/", "x.lock", "a~1", "a\x00"])
def test_odd_branches_are_refused(branch: str) -> None:
    with pytest.raises(choices.Invalid, match="no name of a branch"):
        repositories.fields({"url": URL, "branch": branch})


def test_an_administrator_s_git_hosts_are_taken_too() -> None:
    bounds = EgressBounds.current()
    bounds.git_hosts = "git.corp.example:8443"
    bounds.save()
    url = "https://git.corp.example:8443/team/app"
    assert repositories.fields({"url": url})["repository_url"] == url


def test_without_a_token_it_can_be_read_only(alice: User) -> None:
    session = make_session(alice, repository_url=URL, repository_branch="next")
    assert repositories.of(session) == [Repository(host="github.com", path="team/app", branch="next")]
    assert repositories.of(make_session(alice)) == []


def test_with_a_token_the_gate_is_told_whose_it_is(alice: User, settings: Settings) -> None:
    keys.create(owner_id=alice.pk, provider="github", value=Secret(TOKEN))
    session = make_session(alice, repository_url=URL)
    [told] = repositories.of(session)
    assert (told.provider, told.user, told.push) == ("github", "x-access-token", ["openagent/*"])
    assert not told.trusted
    settings.OPENAGENT_PROVIDER_BASE_URLS = {"github": "https://git.corp.example/api/v3"}
    [told] = repositories.of(make_session(alice, repository_url="https://git.corp.example/team/app"))
    assert (told.provider, told.trusted) == ("github", True)
    assert repositories.of(session)[0].provider == "", "a token goes to its own host only"


def test_the_token_is_sealed_for_a_session_with_its_repository_only(alice: User) -> None:
    keys.create(owner_id=alice.pk, provider="github", value=Secret(TOKEN))
    sidecar = X25519PrivateKey.generate()
    public_key = sealing.to_text(sidecar.public_key().public_bytes_raw())
    session, without = make_session(alice, repository_url=URL), make_session(alice)

    def ask(instance: Instance, number: int) -> frames.Key:
        request = frames.KeyRequest(provider="github", nonce=sealing.to_text(bytes([number] * 16)))
        return links.seal_key(instance_id=instance.pk, request=request)

    answer = ask(make_instance(session, public_key=public_key), 1)
    assert answer.error == ""
    info = sealing.info(session=str(session.pk), generation=1, provider="github", nonce=bytes([1] * 16))
    assert sealing.open(sidecar, sealing.from_text(answer.sealed), info) == TOKEN.encode()
    assert ask(make_instance(without, public_key=public_key), 2).error == "key_missing"


def test_a_token_that_is_revoked_is_forgotten_where_its_repository_is(
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    told: list[tuple[list[uuid.UUID], str]] = []
    monkeypatch.setattr(relay, "forget_key", lambda instances, provider: told.append((instances, provider)))
    key = keys.create(owner_id=alice.pk, provider="github", value=Secret(TOKEN))
    instance = make_instance(make_session(alice, repository_url=URL))
    make_instance(make_session(alice, repository_url="https://gitlab.com/team/app"))
    make_instance(make_session(alice))
    KeyUse.objects.create(
        key=key.pk,
        owner=alice,
        provider="github",
        action=KeyAction.SEALED,
        session=instance.session_id,
        generation=1,
    )
    with django_capture_on_commit_callbacks(execute=True):
        keys.delete(key)
    assert told == [([instance.pk], "github")]


def test_a_token_is_for_no_model(alice: User) -> None:
    key = keys.create(owner_id=alice.pk, provider="github", value=Secret(TOKEN))
    with pytest.raises(choices.Invalid, match="no such provider"):
        choices.provider("github")
    agent = agents.get("opencode")
    assert choices.usual_provider(alice, None, agent) == "demo"
    assert choices.usual_provider(alice, key.pk, agent) == "demo"
    assert "github" not in {offer.provider.id for offer in pool.offers(agent)}


OWN = "https://git.corp.example:8443"


@pytest.fixture
def named() -> None:
    """The administrator's own git host."""
    bounds = EgressBounds.current()
    bounds.git_hosts = "git.corp.example:8443\n*.open.example"
    bounds.save()


def test_a_token_for_another_host_is_for_that_host_only(alice: User, named: None) -> None:
    with pytest.raises(AppError, match="where the host is and nothing more"):
        keys.create(owner_id=alice.pk, provider="git", value=Secret(TOKEN), base_url=f"{OWN}/team")
    key = keys.create(owner_id=alice.pk, provider="git", value=Secret(TOKEN), base_url=f"{OWN.upper()}/")
    assert key.base_url == OWN
    [told] = repositories.of(make_session(alice, repository_url=f"{OWN}/team/app"))
    assert (told.provider, told.base_url, told.user) == ("git", OWN, "git")
    assert told.push and told.trusted, "the administrator named it, so it may be private"
    other = make_session(alice, repository_url="https://git.open.example/team/app")
    assert repositories.of(other) == [Repository(host="git.open.example", path="team/app")]
    assert not repositories.leads_to(other, "git", OWN)


def test_a_token_for_another_host_is_sealed_with_its_address(alice: User, named: None) -> None:
    keys.create(owner_id=alice.pk, provider="git", value=Secret(TOKEN), base_url=OWN)
    sidecar = X25519PrivateKey.generate()
    public_key = sealing.to_text(sidecar.public_key().public_bytes_raw())
    instance = make_instance(make_session(alice, repository_url=f"{OWN}/team/app"), public_key=public_key)

    def ask(base_url: str, number: int) -> frames.Key:
        nonce = sealing.to_text(bytes([number] * 16))
        request = frames.KeyRequest(provider="git", nonce=nonce, base_url=base_url)
        return links.seal_key(instance_id=instance.pk, request=request)

    sealed = sealing.from_text(ask(OWN, 1).sealed)
    info = sealing.info(
        session=str(instance.session_id), generation=1, provider="git", nonce=bytes([1] * 16), base_url=OWN
    )
    assert sealing.open(sidecar, sealed, info) == TOKEN.encode()
    assert ask("https://evil.example", 2).error == ask("", 3).error == "key_missing"
