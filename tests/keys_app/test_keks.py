"""Every kind of KEK keeps the same promises: one suite, for this process's memory and a KMS on this host."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any

import boto3
import pytest
from django.conf import LazySettings
from moto.server import ThreadedMotoServer

from keys_app import keyring, rotation, services, vault
from keys_app.keks import kms
from keys_app.keks.base import Kek, KekUnavailable, NotOpened, Wrapped
from keys_app.keks.cache import DekCache
from keys_app.keks.local import LocalKek
from keys_app.models import ProviderKey
from openagent.accounts.models import User
from openagent.lib.redact import Secret
from tests.conftest import client_of
from tests.keys_app.conftest import CANARY

DEK = bytes(range(32))
HERE, THERE = b"openagent.envelope|v1|4:here", b"openagent.envelope|v1|5:there"
REGION = "eu-west-1"


@pytest.fixture(scope="module")
def kms_server() -> Iterator[str]:
    """The address of a KMS; what it knows ends with it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def client(kms_server: str) -> Any:
    return boto3.session.Session(region_name=REGION).client("kms", endpoint_url=kms_server)


def new_arn(client: Any) -> str:
    return str(client.create_key()["KeyMetadata"]["Arn"])


@pytest.fixture(params=["local", "kms"])
def kek(request: pytest.FixtureRequest) -> Kek:
    """One of each kind."""
    if request.param == "local":
        return LocalKek(bytes(range(32)))
    arn = new_arn(request.getfixturevalue("client"))
    return kms.KmsKek(arn, endpoint=request.getfixturevalue("kms_server"))


@pytest.fixture
def other(kek: Kek, request: pytest.FixtureRequest) -> Kek:
    """Another one of the same kind."""
    if isinstance(kek, LocalKek):
        return LocalKek(bytes(32))
    arn = new_arn(request.getfixturevalue("client"))
    return kms.KmsKek(arn, endpoint=request.getfixturevalue("kms_server"))


def test_what_is_wrapped_is_unwrapped_in_its_place(kek: Kek) -> None:
    wrapped = kek.wrap(DEK, HERE)
    assert DEK not in wrapped.ciphertext
    assert kek.unwrap(wrapped, HERE) == kek.unwrap(wrapped, HERE) == DEK
    assert kek.wrap(DEK, HERE) != wrapped
    assert len(kek.id) == 16


def test_it_is_unwrapped_nowhere_else(kek: Kek) -> None:
    wrapped = kek.wrap(DEK, HERE)
    assert kek.unwrap(wrapped, HERE) == DEK
    with pytest.raises(NotOpened):
        kek.unwrap(wrapped, THERE)


def test_another_kek_does_not_unwrap_it(kek: Kek, other: Kek) -> None:
    assert kek.id != other.id
    # Of KMS it is a matter of rights as well.
    with pytest.raises((NotOpened, KekUnavailable)):
        other.unwrap(kek.wrap(DEK, HERE), HERE)


@pytest.mark.parametrize("at", [0, 20, -1])
def test_a_changed_one_is_not_unwrapped(kek: Kek, at: int) -> None:
    wrapped = kek.wrap(DEK, HERE)
    changed = bytearray(wrapped.ciphertext)
    changed[at] ^= 1
    with pytest.raises((NotOpened, KekUnavailable)):
        kek.unwrap(Wrapped(wrapped.nonce, bytes(changed)), HERE)


def test_a_kms_that_is_not_there_or_refuses_may_come_back(kms_server: str, client: Any) -> None:
    arn = new_arn(client)
    kek = kms.KmsKek(arn, endpoint=kms_server)
    wrapped = kek.wrap(DEK, HERE)
    gone = kms.KmsKek(arn, endpoint="http://127.0.0.1:9")
    with pytest.raises(KekUnavailable):
        gone.unwrap(wrapped, HERE)
    unknown = kms.KmsKek(arn[:-1] + ("1" if arn.endswith("0") else "0"), endpoint=kms_server)
    with pytest.raises(KekUnavailable):
        unknown.wrap(DEK, HERE)


def test_what_was_unwrapped_is_kept_for_a_while_only(
    kms_server: str, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = new_arn(client)
    kek = kms.KmsKek(arn, endpoint=kms_server)
    wrapped = kek.wrap(DEK, HERE)
    assert kek.unwrap(wrapped, HERE) == DEK
    monkeypatch.setattr(kms, "_client", lambda *_: pytest.fail("asked again"))
    assert kek.unwrap(wrapped, HERE) == DEK
    later = monotonic() + kms.CACHED_SECONDS
    monkeypatch.setattr("keys_app.keks.cache.monotonic", lambda: later)
    with pytest.raises(pytest.fail.Exception):
        kek.unwrap(wrapped, HERE)


def test_the_cache_keeps_so_many_and_tells_places_apart() -> None:
    cache = DekCache(most=2, seconds=60)
    for name in (b"a", b"b", b"c"):
        cache.put(name, HERE, name)
    assert [cache.get(name, HERE) for name in (b"a", b"b", b"c")] == [None, b"b", b"c"]
    assert cache.get(b"c", THERE) is None


@pytest.mark.django_db
def test_a_provider_key_moves_to_kms_and_back(
    kms_server: str, client: Any, alice: User, settings: LazySettings, key: ProviderKey
) -> None:
    local, arn = settings.OPENAGENT_KEYS_KEK, new_arn(client)
    settings.OPENAGENT_KEYS_KMS_ENDPOINT = kms_server
    settings.OPENAGENT_KEYS_KEK = f"2026:{arn},{local}"
    second = services.create(owner_id=alice.pk, provider="openai", value=Secret(CANARY))
    assert bytes(second.dek_nonce) == b""
    assert rotation.carry_on(rotation.start()).wrapped == 1
    settings.OPENAGENT_KEYS_KEK = arn
    for row in ProviderKey.objects.all():
        assert vault.open_key(row).reveal() == CANARY
    ProviderKey.objects.filter(pk=second.pk).update(owner=alice, provider="mistral")
    with pytest.raises(services.KeyUnreadable):
        vault.open_key(ProviderKey.objects.get(pk=second.pk))
    settings.OPENAGENT_KEYS_KEK = keyring.generate() + " " + arn
    walk = rotation.carry_on(rotation.start())
    assert (walk.wrapped, walk.unreadable) == (1, 1)


@pytest.mark.django_db
def test_without_its_kms_a_key_waits_and_nothing_is_lost(
    client: Any, key: ProviderKey, settings: LazySettings
) -> None:
    settings.OPENAGENT_KEYS_KEK = f"{new_arn(client)},{settings.OPENAGENT_KEYS_KEK}"
    settings.OPENAGENT_KEYS_KMS_ENDPOINT = "http://127.0.0.1:9"
    answer = client_of(key.owner).post("/api/v1/keys/", {"provider": "openai", "key": CANARY})
    assert (answer.status_code, answer.json()["code"]) == (503, "kek_unavailable")
    walk = rotation.carry_on(rotation.start())
    assert walk.ended_at is None and "does not answer" in walk.last_error
    assert vault.open_key(ProviderKey.objects.get()).reveal() == CANARY
