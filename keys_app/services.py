"""The one door to provider keys: makes, replaces, deletes, seals and tests them, and writes down each use.

Nothing here returns a plaintext key, and nothing else decrypts one.
"""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction
from django.utils import timezone

from keys_app import envelope, key_format, keyring, probe, providers, revocation
from keys_app.models import KeyAction, KeyStatus, KeyUse, ProviderKey
from openagent.lib import log
from openagent.lib.errors import AppError, NotFound
from openagent.lib.redact import Secret
from sidecar.protocol import sealing

logger = log.get(__name__)

MOST_KEYS = 100
"""Of one user; more than anybody needs, few enough that no page of them is slow."""


class KeyMissing(AppError):
    """The owner has no key for this provider."""

    def __init__(self, provider: providers.Provider) -> None:
        super().__init__("key_missing", f"Add a key for {provider.name} first.", 409, provider=provider.id)


class KeyUnreadable(AppError):
    """A stored key does not decrypt: its row was changed, or the KEK that wrapped it is gone."""

    def __init__(self) -> None:
        super().__init__(
            "key_unreadable", "This key can no longer be decrypted. Replace it with a new one.", 409
        )


class TooManyKeys(AppError):
    """The owner has as many keys as anybody may have."""

    def __init__(self) -> None:
        super().__init__("too_many_keys", f"{MOST_KEYS} keys are the most. Delete one first.", 409)


class CannotSeal(AppError):
    """The sidecar's public key or nonce is unusable, or the nonce was used before."""

    def __init__(self, message: str) -> None:
        super().__init__("cannot_seal", message, 400)


@transaction.atomic
def create(*, owner_id: uuid.UUID, provider: str, value: Secret, label: str = "") -> ProviderKey:
    """A new key. BadKey or UnknownProvider, with a helpful message, when it cannot be one."""
    entry = providers.get(provider)
    value = key_format.check(entry, value)
    if ProviderKey.objects.owned_by(owner_id).count() >= MOST_KEYS:
        raise TooManyKeys()
    key = ProviderKey(owner_id=owner_id, provider=entry.id, label=label.strip())
    _encrypt(key, value)
    key.save(force_insert=True)
    _record(key, KeyAction.MADE)
    return key


@transaction.atomic
def replace(key: ProviderKey, *, value: Secret) -> ProviderKey:
    """The same row with another key in it; whoever holds the old one is told to forget it."""
    value = key_format.check(providers.get(key.provider), value)
    # Locked so that of two replacements at once one comes after the other, each with its own version.
    key = ProviderKey.objects.select_for_update().get(pk=key.pk)
    key.version += 1
    key.status = KeyStatus.UNTESTED
    _encrypt(key, value)
    key.save()
    _record(key, KeyAction.REPLACED)
    _revoke(key)
    return key


@transaction.atomic
def relabel(key: ProviderKey, *, label: str) -> ProviderKey:
    key.label = label.strip()
    key.save(update_fields=["label", "updated_at"])
    _record(key, KeyAction.RELABELLED)
    return key


@transaction.atomic
def delete(key: ProviderKey) -> None:
    """The key is gone for good; running sessions are told to forget it. Harmless when it is gone already."""
    revocation.announce_deletion(key.pk)
    # Locked, so that no session comes to name it while it goes.
    if ProviderKey.objects.select_for_update().filter(pk=key.pk).first() is None:
        return
    _record(key, KeyAction.DELETED)
    _revoke(key)
    key.delete()


def choose(*, owner_id: uuid.UUID, provider: str, key_id: uuid.UUID | None = None) -> ProviderKey | None:
    """The key that a session with `provider` uses: the one it names, else the owner's best.

    None when the provider needs no key; KeyMissing when it does and there is none. Of several the newest is
    the best, and one that the provider has refused is the worst.
    """
    entry = providers.get(provider)
    if not entry.needs_key:
        return None
    keys = ProviderKey.objects.owned_by(owner_id).filter(provider=entry.id)
    if key_id is not None:
        chosen = keys.filter(pk=key_id).first()
    else:
        usable = keys.exclude(status=KeyStatus.REFUSED).order_by("-created_at", "-id").first()
        chosen = usable or keys.order_by("-created_at", "-id").first()
    if chosen is None:
        raise KeyMissing(entry)
    return chosen


@transaction.atomic
def seal_for(
    *, key_id: uuid.UUID, session_id: uuid.UUID, generation: int, public_key: str, nonce: str
) -> str:
    """The key, sealed so that only the holder of `public_key` can open it, for this session and generation.

    Public key, nonce and answer are texts as they stand in frames. A nonce is sealed to once: CannotSeal the
    second time. KeyUnreadable when the key does not decrypt, NotFound when it is gone.
    """
    key = ProviderKey.objects.filter(pk=key_id).first()
    if key is None:
        raise NotFound("This key was deleted.", "key_missing")
    # Whoever deletes or replaces it waits for us from here on, so that the order to forget it comes later.
    if not ProviderKey.objects.filter(pk=key.pk, version=key.version).update(last_used_at=timezone.now()):
        raise CannotSeal("the key was changed at this moment")
    try:
        raw = sealing.from_text(nonce)
        info = sealing.info(session=str(session_id), generation=generation, provider=key.provider, nonce=raw)
        _record_sealing(key, session_id=session_id, generation=generation, nonce=raw)
        recipient = sealing.from_text(public_key)
        # The plaintext gets no name: whatever breaks, no report of local variables has it.
        sealed = sealing.to_text(sealing.seal(recipient, _decrypt(key).reveal().encode(), info))
    except sealing.SealingError as error:
        raise CannotSeal(str(error)) from None
    return sealed


def test(key: ProviderKey) -> tuple[ProviderKey, probe.Outcome]:
    """Asks the provider, and keeps what it said as the key's status. KeyUnreadable as for `seal_for`.

    Not in a transaction: nothing may be locked while a provider thinks. A key that was replaced meanwhile
    keeps its status.
    """
    value = _decrypt(key)
    with log.protected(value.reveal()):
        outcome = probe.ask(providers.get(key.provider), value)
    with transaction.atomic():
        if outcome.status is not None:
            ProviderKey.objects.filter(pk=key.pk, version=key.version).update(status=outcome.status)
        _record(key, KeyAction.TESTED, detail=outcome.code)
    key.refresh_from_db()
    return key, outcome


def rewrap_all() -> tuple[int, int]:
    """Wraps every key with the first KEK: how many were wrapped anew, and how many cannot be read.

    Each row on its own, by compare-and-set on the KEK id: safe while the platform runs, and to repeat.
    """
    ring = keyring.current()
    done = unreadable = 0
    for key in ProviderKey.objects.exclude(kek_id=ring.first.id).iterator():
        try:
            wrapped = envelope.rewrap(ring, _envelope(key), _context(key))
        except envelope.EnvelopeError as error:
            _alarm(key, error)
            unreadable += 1
            continue
        with transaction.atomic():
            changed = ProviderKey.objects.filter(pk=key.pk, version=key.version, kek_id=key.kek_id).update(
                kek_id=wrapped.kek_id, dek_nonce=wrapped.dek_nonce, wrapped_dek=wrapped.wrapped_dek
            )
            if changed:
                _record(key, KeyAction.REWRAPPED)
        done += changed
    return done, unreadable


def _encrypt(key: ProviderKey, value: Secret) -> None:
    made = envelope.encrypt(keyring.current(), value, _context(key))
    key.kek_id, key.dek_nonce, key.wrapped_dek = made.kek_id, made.dek_nonce, made.wrapped_dek
    key.nonce, key.ciphertext, key.commitment = made.nonce, made.ciphertext, made.commitment
    key.hint = key_format.hint(value)


def _decrypt(key: ProviderKey) -> Secret:
    try:
        return envelope.decrypt(keyring.current(), _envelope(key), _context(key))
    except envelope.EnvelopeError as error:
        _alarm(key, error)
        raise KeyUnreadable() from None


def _alarm(key: ProviderKey, error: envelope.EnvelopeError) -> None:
    # Worth waking somebody: rows were swapped or changed by hand, or a KEK was removed too early.
    logger.error(
        "provider_key_unreadable", key_id=str(key.pk), owner_id=str(key.owner_id), reason=error.reason
    )


def _envelope(key: ProviderKey) -> envelope.Envelope:
    # PostgreSQL gives memoryviews.
    return envelope.Envelope(
        kek_id=key.kek_id,
        dek_nonce=bytes(key.dek_nonce),
        wrapped_dek=bytes(key.wrapped_dek),
        nonce=bytes(key.nonce),
        ciphertext=bytes(key.ciphertext),
        commitment=bytes(key.commitment),
    )


def _context(key: ProviderKey) -> bytes:
    return envelope.context(
        table=ProviderKey._meta.db_table,
        row=str(key.pk),
        owner=str(key.owner_id),
        provider=key.provider,
        version=key.version,
    )


def _record(key: ProviderKey, action: KeyAction, *, detail: str = "") -> None:
    KeyUse.objects.create(
        key=key.pk, owner_id=key.owner_id, provider=key.provider, action=action, detail=detail
    )


def _record_sealing(key: ProviderKey, *, session_id: uuid.UUID, generation: int, nonce: bytes) -> None:
    try:
        with transaction.atomic():
            KeyUse.objects.create(
                key=key.pk,
                owner_id=key.owner_id,
                provider=key.provider,
                action=KeyAction.SEALED,
                session=session_id,
                generation=generation,
                sidecar_nonce=nonce.hex(),
            )
    except IntegrityError:
        raise CannotSeal("this nonce was sealed to before") from None


def _revoke(key: ProviderKey) -> None:
    revocation.announce(revocation.Revoked(key_id=key.pk, owner_id=key.owner_id, provider=key.provider))
