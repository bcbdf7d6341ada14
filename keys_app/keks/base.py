"""What every key encryption key can do, wherever it is kept: wrap a data key for one place, and unwrap it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from openagent.lib.errors import AppError


@dataclass(frozen=True)
class Wrapped:
    """A data key as it is stored; the nonce is empty where the KEK keeps it in the ciphertext."""

    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


class NotOpened(Exception):
    """This was not wrapped by this KEK for this place, or was changed since."""


class KekUnavailable(AppError):
    """The KEK is kept elsewhere, and whoever keeps it does not answer or does not let us. It may later."""

    def __init__(self) -> None:
        super().__init__(
            "kek_unavailable", "The service that keeps the encryption key does not answer. Try again.", 503
        )


class Kek(Protocol):
    """One KEK. The id is derived from what it is, so it can never name another one by mistake.

    `context` says which place a data key is for: it unwraps for the same one only. KekUnavailable from both.
    Both may be called by several threads at once.
    """

    @property
    def id(self) -> str:
        """16 characters."""

    def wrap(self, dek: bytes, context: bytes) -> Wrapped:
        """The data key, for this place."""

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """The data key, or NotOpened."""
