"""Puts secrets into rows of keys and takes them out again: nothing else does, and only services use it."""

from __future__ import annotations

from keys_app import envelope, key_format, keyring
from keys_app.models import ProviderKey
from openagent.lib import log
from openagent.lib.errors import AppError
from openagent.lib.redact import Secret

logger = log.get(__name__)

FIELDS = ("kek_id", "dek_nonce", "wrapped_dek", "nonce", "ciphertext", "commitment")
"""The columns that are an envelope."""


class KeyUnreadable(AppError):
    """A stored key does not decrypt: its row was changed, or the KEK that wrapped it is gone."""

    def __init__(self) -> None:
        super().__init__(
            "key_unreadable", "This key can no longer be decrypted. Replace it with a new one.", 409
        )


def fill(key: ProviderKey, value: Secret) -> None:
    """Puts the secret into the row, which is not saved; whatever it is bound to is there already."""
    made = envelope.encrypt(keyring.current(), value, _context(key))
    for name in FIELDS:
        setattr(key, name, getattr(made, name))
    key.hint = key_format.hint(value)


def open_key(key: ProviderKey) -> Secret:
    """What is in the row, or KeyUnreadable and an alarm."""
    try:
        return envelope.decrypt(keyring.current(), _envelope(key), _context(key))
    except envelope.EnvelopeError as error:
        alarm(key, error)
        raise KeyUnreadable() from None


def rewrap(key: ProviderKey) -> dict[str, object]:
    """The columns that change when the row is wrapped by the first KEK. EnvelopeError when it is not whole.

    The secret itself is not decrypted.
    """
    made = envelope.rewrap(keyring.current(), _envelope(key), _context(key))
    return {name: getattr(made, name) for name in ("kek_id", "dek_nonce", "wrapped_dek")}


def alarm(key: ProviderKey, error: envelope.EnvelopeError) -> None:
    """Worth waking somebody: rows were swapped or changed by hand, or a KEK was removed too early."""
    logger.error(
        "provider_key_unreadable", key_id=str(key.pk), owner_id=str(key.owner_id), reason=error.reason
    )


def _envelope(key: ProviderKey) -> envelope.Envelope:
    # PostgreSQL gives memoryviews.
    binary = {name: bytes(getattr(key, name)) for name in FIELDS if name != "kek_id"}
    return envelope.Envelope(kek_id=key.kek_id, **binary)


def _context(key: ProviderKey) -> bytes:
    return envelope.context(
        table=ProviderKey._meta.db_table,
        row=str(key.pk),
        owner=str(key.owner_id),
        provider=key.provider,
        version=key.version,
        base_url=key.base_url,
    )
