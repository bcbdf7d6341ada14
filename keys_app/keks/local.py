"""A KEK in this process's memory, from the environment or a file: AES-256-GCM."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys_app.keks.base import NotOpened, Wrapped

KEK_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, repr=False)
class LocalKek:
    """32 random bytes."""

    key: bytes = field(repr=False)

    def __repr__(self) -> str:
        return f"LocalKek({self.id})"

    @property
    def id(self) -> str:
        return hashlib.sha256(b"openagent.kek-id|v1|" + self.key).hexdigest()[:16]

    def wrap(self, dek: bytes, context: bytes) -> Wrapped:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return Wrapped(nonce, AESGCM(self.key).encrypt(nonce, dek, self._bound(context)))

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        try:
            return AESGCM(self.key).decrypt(wrapped.nonce, wrapped.ciphertext, self._bound(context))
        except (InvalidTag, ValueError):
            # ValueError: a nonce of the wrong length, from a row that somebody wrote by hand.
            raise NotOpened from None

    def _bound(self, context: bytes) -> bytes:
        return f"dek|{self.id}|".encode() + context
