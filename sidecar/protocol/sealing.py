"""Seals a provider key to one sidecar with HPKE (RFC 9180, base mode) and opens it there: pure, no I/O.

The suite is DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. A sealed key opens again when it is
replayed, so `info` binds it to a session, a generation, a provider and a nonce that the sidecar made, and
the sidecar accepts each of its nonces once.
"""

from __future__ import annotations

import base64
import binascii
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

PUBLIC_KEY_BYTES = 32
NONCE_BYTES = 16
MAX_KEY_BYTES = 8192

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_OVERHEAD = PUBLIC_KEY_BYTES + 16


class SealingError(ValueError):
    """A key cannot be sealed or opened; the message says which of the two and never quotes a value."""


def info(*, session: str, generation: int, provider: str, nonce: bytes, base_url: str = "") -> bytes:
    """The context that a sealed key is bound to: the same bytes on both sides, or it does not open.

    `base_url` is where the key may be sent, if its owner chose that.
    """
    if len(nonce) != NONCE_BYTES:
        raise SealingError("the nonce is not 16 bytes long")
    if generation < 1 or not provider or "|" in provider or not provider.isascii():
        raise SealingError("the generation or the provider is not a usable one")
    try:
        canonical = str(uuid.UUID(session))
    except ValueError:
        raise SealingError("the session is not a UUID") from None
    bound_to = f"|{base_url.encode().hex()}" if base_url else ""
    return f"openagent.key|v1|{canonical}|{generation}|{provider}|{nonce.hex()}{bound_to}".encode()


def seal(public_key: bytes, key: bytes, info: bytes) -> bytes:
    """`key` for the holder of the private half of `public_key` only."""
    if not 0 < len(key) <= MAX_KEY_BYTES:
        raise SealingError("the key is empty or too long")
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise SealingError("the public key is not 32 bytes long")
    try:
        return _SUITE.encrypt(key, X25519PublicKey.from_public_bytes(public_key), info)
    except ValueError:
        # A point of low order: the shared secret would be the same for everybody.
        raise SealingError("the public key is not a usable one") from None


def open(private_key: X25519PrivateKey, sealed: bytes, info: bytes) -> bytes:
    """The key, or SealingError when it was sealed to somebody else, for something else, or was changed."""
    if not _OVERHEAD < len(sealed) <= _OVERHEAD + MAX_KEY_BYTES:
        raise SealingError("the sealed key has an impossible length")
    try:
        return _SUITE.decrypt(sealed, private_key, info)
    except (InvalidTag, ValueError):
        raise SealingError("the sealed key does not open here") from None


def to_text(raw: bytes) -> str:
    """How public keys, nonces and sealed keys stand in a frame."""
    return base64.b64encode(raw).decode()


def from_text(text: str) -> bytes:
    """The bytes behind `to_text`; SealingError when the text is not strict base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SealingError("a value of the frame is not base64") from None
