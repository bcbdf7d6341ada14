"""The one door to provider keys: makes, replaces, deletes, seals and tests them, and writes down each use.

Nothing here returns a plaintext key, and nothing else decrypts one.
"""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from keys_app import addresses, key_format, probe, providers, record, revocation, vault
from keys_app.models import KeyAction, KeyStatus, ProviderKey
from keys_app.vault import KeyUnreadable as KeyUnreadable
from openagent.lib import log
from openagent.lib.errors import AppError, NotFound
from openagent.lib.redact import Secret
from sidecar.protocol import sealing

MOST_KEYS = 100
"""Of one user; more than anybody needs, few enough that no page of them is slow."""


class KeyMissing(AppError):
    """The owner has no key for this provider."""

    def __init__(self, provider: providers.Provider) -> None:
        super().__init__("key_missing", f"Add a key for {provider.name} first.", 409, provider=provider.id)


class ConsentRequired(AppError):
    """A login that has to be inside of the box goes there only when its owner has agreed to that."""

    def __init__(self, provider: providers.Provider) -> None:
        message = (
            f"{provider.name} works only inside of the box, where whatever runs there can read it. "
            "It is kept when you agree to that."
        )
        error = {"message": message, "code": "consent_required"}
        super().__init__("consent_required", message, 400, errors={"agrees_to_box": [error]})


class KeyMoved(AppError):
    """The key is for another address than the one where the sidecar would send it."""

    def __init__(self) -> None:
        super().__init__("key_moved", "This key has another address now.", 409)


class TooManyKeys(AppError):
    """The owner has as many keys as anybody may have."""

    def __init__(self) -> None:
        super().__init__("too_many_keys", f"{MOST_KEYS} keys are the most. Delete one first.", 409)


def create(
    *,
    owner_id: uuid.UUID,
    provider: str,
    value: Secret,
    label: str = "",
    base_url: str = "",
    agrees_to_box: bool = False,
) -> ProviderKey:
    """A new key. BadKey, BadAddress or UnknownProvider, with a helpful message, when it cannot be one.

    `agrees_to_box`: its owner says that it may enter boxes; ConsentRequired where it must and they do not.
    """
    entry = providers.get(provider)
    if entry.enters_box and not agrees_to_box:
        raise ConsentRequired(entry)
    base_url = addresses.check(entry, base_url)
    value = key_format.check(entry, value, has_own_address=bool(base_url))
    key = ProviderKey(owner_id=owner_id, provider=entry.id, label=label.strip(), base_url=base_url)
    if entry.enters_box:
        key.box_consent_at, key.box_consent_by_id = timezone.now(), owner_id
    # Before the transaction: a KEK may be far away.
    vault.fill(key, value)
    with transaction.atomic():
        if ProviderKey.objects.owned_by(owner_id).count() >= MOST_KEYS:
            raise TooManyKeys()
        key.save(force_insert=True)
        record.write(key, KeyAction.MADE)
        if entry.enters_box:
            record.write(key, KeyAction.CONSENTED)
    return key


def replace(key: ProviderKey, *, value: Secret, base_url: str | None = None) -> ProviderKey:
    """The same row with another key in it; whoever holds the old one is told to forget it.

    None keeps the address where it is used. Of two replacements at once one comes after the other.
    """
    entry = providers.get(key.provider)
    address = key.base_url if base_url is None else addresses.check(entry, base_url)
    value = key_format.check(entry, value, has_own_address=bool(address))
    while (row := ProviderKey.objects.filter(pk=key.pk).first()) is not None:
        seen = row.version
        row.version, row.base_url, row.status = seen + 1, address, KeyStatus.UNTESTED
        vault.fill(row, value)
        with transaction.atomic():
            if _save_over(row, version=seen):
                record.write(row, KeyAction.REPLACED)
                _revoke(row)
                return row
    raise _gone()


def change(
    key: ProviderKey, *, label: str | None = None, base_url: str | None = None, value: Secret | None = None
) -> ProviderKey:
    """Another label, or another address: for that the key has to come along, or it is KeyRequired."""
    if base_url is not None:
        base_url = addresses.check(providers.get(key.provider), base_url)
        if base_url != key.base_url and value is None:
            raise addresses.KeyRequired()
        if base_url != key.base_url and value is not None:
            key = replace(key, value=value, base_url=base_url)
    return key if label is None else relabel(key, label=label)


@transaction.atomic
def relabel(key: ProviderKey, *, label: str) -> ProviderKey:
    key.label = label.strip()
    key.save(update_fields=["label", "updated_at"])
    record.write(key, KeyAction.RELABELLED)
    return key


@transaction.atomic
def delete(key: ProviderKey) -> None:
    """The key is gone for good; running sessions are told to forget it. Harmless when it is gone already."""
    revocation.announce_deletion(key.pk)
    # Locked, so that no session comes to name it while it goes.
    if ProviderKey.objects.select_for_update().filter(pk=key.pk).first() is None:
        return
    record.write(key, KeyAction.DELETED)
    _revoke(key)
    key.delete()


def choose(
    *, owner_id: uuid.UUID, provider: str, key_id: uuid.UUID | None = None, base_url: str | None = None
) -> ProviderKey | None:
    """The key that a session of `owner_id` with `provider` uses: the one it names, else the best that it may.

    None when the provider needs no key; KeyMissing when it does and there is none. Of several the best is the
    user's own before one that is shared, then the newest, and one that the provider has refused is the worst;
    with `base_url` only those for that address.
    """
    entry = providers.get(provider)
    if not entry.needs_key:
        return None
    keys = ProviderKey.objects.usable_by(owner_id).filter(provider=entry.id)
    if key_id is not None:
        chosen = keys.filter(pk=key_id).first()
    else:
        if base_url is not None:
            keys = keys.filter(base_url=base_url)
        ranked = keys.order_by("created_at", "id")
        # The last of equals: the newest.
        chosen = max(reversed(ranked), key=lambda key: _rank(key, owner_id), default=None)
    if chosen is None:
        raise KeyMissing(entry)
    return chosen


def _rank(key: ProviderKey, user_id: uuid.UUID) -> tuple[bool, bool]:
    return key.status != KeyStatus.REFUSED, key.owner_id == user_id


def address_of(*, owner_id: uuid.UUID, provider: str, key_id: uuid.UUID | None) -> str:
    """Where the key that `choose` gives is used, if its owner chose that, and empty otherwise."""
    try:
        key = choose(owner_id=owner_id, provider=provider, key_id=key_id)
    except KeyMissing:
        return ""
    return key.base_url if key else ""


def seal_for(
    *,
    key_id: uuid.UUID,
    session_id: uuid.UUID,
    generation: int,
    public_key: str,
    nonce: str,
    base_url: str = "",
    user_id: uuid.UUID | None = None,
) -> str:
    """The key, sealed so that only the holder of `public_key` can open it, for this session and generation.

    Whoever calls has made sure that `user_id`, the session's owner, may use the key: the key's own, if None.

    Public key, nonce and answer are texts as they stand in frames; `base_url` is where the key will be sent,
    if its owner chose that. A nonce is sealed to once: record.CannotSeal the second time. KeyUnreadable
    when the key does not decrypt, NotFound when it is gone, KeyMoved when it is for another address,
    ConsentRequired when it would enter the box and nobody agreed to that.
    """
    while (key := ProviderKey.objects.filter(pk=key_id).first()) is not None:
        if key.base_url != base_url:
            raise KeyMoved()
        entry = providers.get(key.provider)
        if entry.enters_box and key.box_consent_at is None:
            raise ConsentRequired(entry)
        try:
            raw, recipient = sealing.from_text(nonce), sealing.from_text(public_key)
            info = sealing.info(
                session=str(session_id),
                generation=generation,
                provider=key.provider,
                nonce=raw,
                base_url=base_url,
            )
            # Before the transaction: a KEK may be far away. The plaintext gets no name: whatever breaks, no
            # report of local variables has it.
            sealed = sealing.to_text(sealing.seal(recipient, vault.open_key(key).reveal().encode(), info))
        except sealing.SealingError as error:
            raise record.CannotSeal(str(error)) from None
        used = {"user_id": user_id or key.owner_id, "session_id": session_id}
        if _use(key, **used, generation=generation, nonce=raw):
            return sealed
    raise _gone()


@transaction.atomic
def _use(
    key: ProviderKey, *, user_id: uuid.UUID, session_id: uuid.UUID, generation: int, nonce: bytes
) -> bool:
    """Writes down that the key is sealed; False when it was replaced or deleted since it was read.

    Whoever deletes or replaces it waits for us from here on, so that the order to forget it comes later.
    """
    current = ProviderKey.objects.filter(pk=key.pk, version=key.version)
    if not current.update(last_used_at=timezone.now()):
        return False
    record.sealing(key, user_id=user_id, session_id=session_id, generation=generation, nonce=nonce)
    return True


def test(key: ProviderKey) -> tuple[ProviderKey, probe.Outcome]:
    """Asks the provider, and keeps what it said as the key's status. KeyUnreadable as for `seal_for`.

    Not in a transaction: nothing may be locked while a provider thinks. A key that was replaced meanwhile
    keeps its status.
    """
    value = vault.open_key(key)
    with log.protected(value.reveal()):
        outcome = probe.ask(providers.get(key.provider), value, own_base_url=key.base_url)
    with transaction.atomic():
        if outcome.status is not None:
            ProviderKey.objects.filter(pk=key.pk, version=key.version).update(status=outcome.status)
        record.write(key, KeyAction.TESTED, detail=outcome.code)
    key.refresh_from_db()
    return key, outcome


def _save_over(key: ProviderKey, *, version: int) -> int:
    """Writes what a replacement changes, unless the row is not of this version any more."""
    names = ("version", "base_url", "status", "hint", *vault.FIELDS)
    key.updated_at = timezone.now()
    values = {name: getattr(key, name) for name in (*names, "updated_at")}
    return ProviderKey.objects.filter(pk=key.pk, version=version).update(**values)


def _gone() -> NotFound:
    return NotFound("This key was deleted.", "key_missing")


def _revoke(key: ProviderKey) -> None:
    revocation.announce(revocation.Revoked(key_id=key.pk, owner_id=key.owner_id, provider=key.provider))
