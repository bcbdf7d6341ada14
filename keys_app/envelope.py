"""Envelope encryption of one secret: a fresh data key (DEK) per row, wrapped by a KEK. Pure.

The secret is in AES-256-GCM with the row's context as associated data, and the KEK is given the same
context, so a ciphertext that is moved to another row, owner, provider, address or version does not open. GCM
alone does not commit to its key: the data key and a commitment are both derived from the DEK, and the
commitment is compared before anything is decrypted.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys_app.keks.base import NotOpened, Wrapped
from keys_app.keyring import Keyring
from openagent.lib.redact import Secret

_KEY_BYTES = 32
_NONCE_BYTES = 12


class EnvelopeError(Exception):
    """An envelope does not open. `reason` is `unknown_kek` (it was wrapped by a KEK that we do not have) or
    `changed` (it, or the row around it, is not what was written)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Envelope:
    """What is stored of a secret."""

    kek_id: str
    dek_nonce: bytes = field(repr=False)
    wrapped_dek: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    commitment: bytes = field(repr=False)


def context(*, table: str, row: str, owner: str, provider: str, version: int, base_url: str = "") -> bytes:
    """The place that an envelope is bound to, without ambiguity whatever the parts contain.

    Without a base URL of its own it is what it was before there were any.
    """
    parts = [table, row, owner, provider, str(version), *([base_url] if base_url else [])]
    return "|".join(["openagent.envelope", "v1", *(f"{len(part)}:{part}" for part in parts)]).encode()


def encrypt(keyring: Keyring, secret: Secret, context: bytes) -> Envelope:
    """The envelope of `secret` for the place that `context` describes. KekUnavailable as for `decrypt`."""
    dek = secrets.token_bytes(_KEY_BYTES)
    data_key, commitment = _derive(dek, context)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    wrapped = keyring.first.wrap(dek, context)
    return Envelope(
        kek_id=keyring.first.id,
        dek_nonce=wrapped.nonce,
        wrapped_dek=wrapped.ciphertext,
        nonce=nonce,
        ciphertext=AESGCM(data_key).encrypt(nonce, secret.reveal().encode(), context),
        commitment=commitment,
    )


def decrypt(keyring: Keyring, envelope: Envelope, context: bytes) -> Secret:
    """The secret; EnvelopeError when it is not exactly what was encrypted for exactly this place.

    KekUnavailable when the KEK is kept elsewhere and cannot be asked now.
    """
    data_key, commitment = _derive(_unwrap(keyring, envelope, context), context)
    if not hmac.compare_digest(commitment, envelope.commitment):
        raise EnvelopeError("changed")
    return Secret(_open(data_key, envelope.nonce, envelope.ciphertext, context).decode())


def rewrap(keyring: Keyring, envelope: Envelope, context: bytes) -> Envelope:
    """The same envelope with its DEK wrapped by the first KEK; the secret itself is not decrypted."""
    wrapped = keyring.first.wrap(_unwrap(keyring, envelope, context), context)
    return replace(envelope, kek_id=keyring.first.id, dek_nonce=wrapped.nonce, wrapped_dek=wrapped.ciphertext)


def _derive(dek: bytes, context: bytes) -> tuple[bytes, bytes]:
    okm = HKDF(algorithm=SHA256(), length=2 * _KEY_BYTES, salt=None, info=context).derive(dek)
    return okm[:_KEY_BYTES], okm[_KEY_BYTES:]


def _unwrap(keyring: Keyring, envelope: Envelope, context: bytes) -> bytes:
    kek = keyring.get(envelope.kek_id)
    if kek is None:
        raise EnvelopeError("unknown_kek")
    try:
        return kek.unwrap(Wrapped(envelope.dek_nonce, envelope.wrapped_dek), context)
    except NotOpened:
        raise EnvelopeError("changed") from None


def _open(key: bytes, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, associated)
    except (InvalidTag, ValueError):
        # ValueError: a nonce of the wrong length, from a row that somebody wrote by hand.
        raise EnvelopeError("changed") from None
