"""Keys are kept encrypted, chosen sensibly, sealed to one sidecar, and never opened in the wrong place."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.conf import LazySettings
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks

from keys_app import keyring, record, revocation, services
from keys_app.models import KeyAction, KeyStatus, KeyUse, ProviderKey
from openagent.accounts.models import User
from openagent.lib.errors import AppError, NotFound
from openagent.lib.redact import Secret, spellings
from sidecar.protocol import sealing
from tests.keys_app.conftest import CANARY

SESSION = uuid.UUID("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")


def stored() -> str:
    """Everything that the database holds, as text."""
    rows: list[Any] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += cursor.fetchall()
    return repr(rows)


def seal(key: ProviderKey, sidecar: X25519PrivateKey, *, nonce: bytes = bytes(16), **more: Any) -> str:
    return services.seal_for(
        key_id=key.pk,
        session_id=more.get("session_id", SESSION),
        generation=more.get("generation", 1),
        public_key=sealing.to_text(sidecar.public_key().public_bytes_raw()),
        nonce=sealing.to_text(nonce),
    )


def open_sealed(sealed: str, sidecar: X25519PrivateKey, *, provider: str = "openai") -> str:
    info = sealing.info(session=str(SESSION), generation=1, provider=provider, nonce=bytes(16))
    return sealing.open(sidecar, sealing.from_text(sealed), info).decode()


def actions(key: ProviderKey) -> list[str]:
    return list(KeyUse.objects.filter(key=key.pk).order_by("id").values_list("action", flat=True))


def test_a_made_key_is_in_the_database_in_no_spelling(key: ProviderKey) -> None:
    assert key.hint == CANARY[-4:]
    assert key.status == KeyStatus.UNTESTED
    everything = stored()
    assert "openai" in everything
    assert not [form for form in spellings(CANARY) if form in everything]
    assert actions(key) == [KeyAction.MADE]


def test_a_sidecar_opens_what_is_sealed_to_it(key: ProviderKey) -> None:
    sidecar = X25519PrivateKey.generate()
    assert open_sealed(seal(key, sidecar), sidecar) == CANARY
    use = KeyUse.objects.get(key=key.pk, action=KeyAction.SEALED)
    assert (use.session, use.generation) == (SESSION, 1)
    key.refresh_from_db()
    assert key.last_used_at is not None


def test_a_nonce_is_sealed_to_once(key: ProviderKey) -> None:
    sidecar = X25519PrivateKey.generate()
    seal(key, sidecar)
    with pytest.raises(record.CannotSeal, match="before"):
        seal(key, sidecar, generation=2)
    seal(key, sidecar, nonce=bytes(range(16)))
    assert actions(key).count(KeyAction.SEALED) == 2


@pytest.mark.parametrize(
    ("public_key", "nonce"),
    [("", "AAAA"), ("not base64", sealing.to_text(bytes(16))), (sealing.to_text(bytes(32)), "AAAA")],
)
def test_a_malformed_request_for_a_key_seals_nothing(key: ProviderKey, public_key: str, nonce: str) -> None:
    with pytest.raises(record.CannotSeal):
        services.seal_for(key_id=key.pk, session_id=SESSION, generation=1, public_key=public_key, nonce=nonce)
    assert actions(key) == [KeyAction.MADE]


def test_a_public_key_of_low_order_gets_nothing(key: ProviderKey) -> None:
    with pytest.raises(record.CannotSeal):
        services.seal_for(
            key_id=key.pk,
            session_id=SESSION,
            generation=1,
            public_key=sealing.to_text(bytes(32)),
            nonce=sealing.to_text(bytes(16)),
        )
    assert actions(key) == [KeyAction.MADE]


def test_a_key_that_is_deleted_while_it_is_sealed_goes_nowhere(key: ProviderKey) -> None:
    todo = [key]

    def delete_first(execute: Any, sql: str, *rest: Any) -> Any:
        if todo and sql.startswith("UPDATE"):
            services.delete(todo.pop())
        return execute(sql, *rest)

    with connection.execute_wrapper(delete_first), pytest.raises(NotFound, match="deleted"):
        seal(key, X25519PrivateKey.generate())
    assert KeyAction.SEALED not in KeyUse.objects.values_list("action", flat=True)


def test_a_deleted_key_cannot_be_sealed(key: ProviderKey) -> None:
    services.delete(key)
    key.pk = KeyUse.objects.get(action=KeyAction.DELETED).key
    with pytest.raises(AppError) as caught:
        seal(key, X25519PrivateKey.generate())
    assert caught.value.code == "key_missing"


BINARY = ["kek_id", "dek_nonce", "wrapped_dek", "nonce", "ciphertext", "commitment"]


@pytest.mark.parametrize("fields", [*([name] for name in BINARY), BINARY], ids=lambda names: "+".join(names))
def test_swapped_rows_do_not_open_and_raise_an_alarm(
    key: ProviderKey, bob: User, fields: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    stolen = services.create(owner_id=bob.pk, provider="openai", value=Secret("sk-bob-0123456789abcdef"))
    values = ProviderKey.objects.values(*fields).get(pk=key.pk)
    ProviderKey.objects.filter(pk=stolen.pk).update(**values)
    if fields == ["kek_id"]:  # Both were wrapped by the one KEK that there is.
        ProviderKey.objects.filter(pk=stolen.pk).update(kek_id="0123456789abcdef")
    with pytest.raises(services.KeyUnreadable) as caught:
        seal(stolen, X25519PrivateKey.generate())
    assert caught.value.code == "key_unreadable"
    assert "provider_key_unreadable" in caplog.text
    assert str(stolen.pk) in caplog.text
    assert "CANARY" not in caplog.text + str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("change", ["owner", "provider", "version"])
def test_a_row_that_is_given_to_somebody_else_does_not_open(key: ProviderKey, bob: User, change: str) -> None:
    values: dict[str, Any] = {"owner": bob, "provider": "mistral", "version": 2}
    ProviderKey.objects.filter(pk=key.pk).update(**{change: values[change]})
    with pytest.raises(services.KeyUnreadable):
        seal(key, X25519PrivateKey.generate())


def test_without_its_kek_a_key_has_one_clear_error(key: ProviderKey, settings: LazySettings) -> None:
    settings.OPENAGENT_KEYS_KEK = keyring.generate()
    with pytest.raises(services.KeyUnreadable):
        seal(key, X25519PrivateKey.generate())
    with pytest.raises(services.KeyUnreadable):
        services.test(key)


def test_a_replaced_key_is_the_new_one_everywhere(key: ProviderKey) -> None:
    sidecar = X25519PrivateKey.generate()
    ProviderKey.objects.filter(pk=key.pk).update(status=KeyStatus.REFUSED)
    replaced = services.replace(key, value=Secret(" sk-proj-another-0123456789 \n"))
    assert (replaced.pk, replaced.version, replaced.hint) == (key.pk, 2, "6789")
    assert replaced.status == KeyStatus.UNTESTED
    assert open_sealed(seal(replaced, sidecar), sidecar) == "sk-proj-another-0123456789"


def test_an_old_ciphertext_does_not_come_back(key: ProviderKey) -> None:
    old = ProviderKey.objects.values(*BINARY).get(pk=key.pk)
    services.replace(key, value=Secret("sk-proj-another-0123456789"))
    ProviderKey.objects.filter(pk=key.pk).update(**old)
    with pytest.raises(services.KeyUnreadable):
        seal(key, X25519PrivateKey.generate())


def test_deleting_leaves_the_record_and_nothing_else(key: ProviderKey) -> None:
    key_id, at_the_same_time = key.pk, ProviderKey.objects.get()
    services.delete(key)
    services.delete(at_the_same_time)
    assert not ProviderKey.objects.exists()
    uses = KeyUse.objects.filter(key=key_id).order_by("id")
    assert list(uses.values_list("action", flat=True)) == ["made", "deleted"]


def test_whoever_holds_a_copy_is_told_after_the_commit(
    key: ProviderKey,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[revocation.Revoked] = []
    monkeypatch.setattr(revocation, "_listeners", [])
    revocation.subscribe(heard.append)
    expected = revocation.Revoked(key_id=key.pk, owner_id=key.owner_id, provider="openai")
    with django_capture_on_commit_callbacks(execute=True):
        services.replace(key, value=Secret("sk-proj-another-0123456789"))
        assert heard == []
    assert heard == [expected]
    with django_capture_on_commit_callbacks(execute=True):
        services.delete(key)
    assert heard == [expected] * 2


def test_whoever_has_rows_that_name_a_key_is_told_before_it_goes_and_can_prevent_it(
    key: ProviderKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [RuntimeError("not now")]

    def listen(key_id: uuid.UUID) -> None:
        assert ProviderKey.objects.filter(pk=key_id).exists()
        if refusals:
            raise refusals.pop()

    monkeypatch.setattr(revocation, "_deletion_listeners", [])
    revocation.subscribe_to_deletions(listen)
    with pytest.raises(RuntimeError):
        services.delete(key)
    assert actions(key) == [KeyAction.MADE]
    services.delete(key)
    assert not ProviderKey.objects.exists()


def test_the_newest_usable_key_is_chosen(key: ProviderKey, alice: User, bob: User) -> None:
    def choose(**more: Any) -> ProviderKey | None:
        return services.choose(owner_id=alice.pk, provider="openai", **more)

    assert choose() == key
    newer = services.create(owner_id=alice.pk, provider="openai", value=Secret("sk-newer-0123456789"))
    services.create(owner_id=bob.pk, provider="openai", value=Secret("sk-bob-0123456789"))
    assert choose() == newer
    assert choose(key_id=key.pk) == key
    ProviderKey.objects.filter(pk=newer.pk).update(status=KeyStatus.REFUSED)
    assert choose() == key
    ProviderKey.objects.update(status=KeyStatus.REFUSED)
    assert choose() == newer


def test_nobody_else_s_key_is_chosen(key: ProviderKey, bob: User) -> None:
    for key_id in (None, key.pk):
        with pytest.raises(services.KeyMissing) as caught:
            services.choose(owner_id=bob.pk, provider="openai", key_id=key_id)
        assert caught.value.code == "key_missing"
    with pytest.raises(services.KeyMissing):
        services.choose(owner_id=key.owner_id, provider="anthropic", key_id=key.pk)
    assert services.choose(owner_id=bob.pk, provider="demo") is None


def test_there_is_an_end_to_how_many_keys_one_may_have(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST_KEYS", 1)
    services.create(owner_id=bob.pk, provider="mistral", value=Secret("0123456789"))
    services.create(owner_id=alice.pk, provider="mistral", value=Secret("0123456789"))
    with pytest.raises(services.TooManyKeys):
        services.create(owner_id=alice.pk, provider="mistral", value=Secret("0123456789"))
