"""The key encryption keys (KEKs) of this installation, told apart by an id: the first encrypts, all decrypt.

A KEK never enters the database; `up` makes a file with one at the first start. To rotate: put a new one in
front, start everything anew, run `manage.py rewrap_keys` or start it in the admin, then remove the old one.
"""

from __future__ import annotations

import base64
import binascii
import functools
import secrets

from django.conf import settings

from keys_app.keks.base import Kek
from keys_app.keks.local import KEK_BYTES, LocalKek

_FORMAT = (
    "It must be 32 random bytes in base64 or hexadecimal, or the ARN of a key of AWS KMS (no alias), with or "
    "without a name and a colon before it; several are separated by commas or spaces, and the first one "
    "encrypts."
)


class BadKeyring(ValueError):
    """The setting is not a list of KEKs. The message explains the format and quotes nothing."""


class Keyring:
    """The KEKs of this installation, in order."""

    def __init__(self, keks: list[Kek]) -> None:
        if not keks:
            raise BadKeyring(f"No key encryption key is set. {_FORMAT}")
        self.first = keks[0]
        self._by_id = {kek.id: kek for kek in keks}

    def get(self, kek_id: str) -> Kek | None:
        """The KEK with this id, or None when it was removed or never was ours."""
        return self._by_id.get(kek_id)


def parse(text: str, *, kms_endpoint: str = "") -> Keyring:
    """The keyring that a setting describes."""
    return Keyring([_kek(word, kms_endpoint) for word in text.replace(",", " ").split()])


def current() -> Keyring:
    """The keyring of the settings."""
    return _parse_once(settings.OPENAGENT_KEYS_KEK, settings.OPENAGENT_KEYS_KMS_ENDPOINT)


def generate() -> str:
    """A new KEK as it stands in the setting."""
    return base64.b64encode(secrets.token_bytes(KEK_BYTES)).decode()


@functools.lru_cache(maxsize=4)
def _parse_once(text: str, kms_endpoint: str) -> Keyring:
    return parse(text, kms_endpoint=kms_endpoint)


def _kek(word: str, kms_endpoint: str) -> Kek:
    # A name such as `2026:` tells people which one is which; the id comes from the key itself.
    start = word.find("arn:")
    if start >= 0:
        return _kms(word[start:], kms_endpoint)
    key = _decode(word.rpartition(":")[2])
    if len(key) != KEK_BYTES:
        raise BadKeyring(f"A key encryption key has the wrong length. {_FORMAT}")
    return LocalKek(key)


def _kms(arn: str, endpoint: str) -> Kek:
    # Who does not use it need not wait until its library is loaded.
    from keys_app.keks.kms import KmsKek

    try:
        return KmsKek(arn, endpoint=endpoint)
    except ValueError:
        raise BadKeyring(f"The ARN of a key encryption key cannot be read. {_FORMAT}") from None


def _decode(word: str) -> bytes:
    try:
        if len(word) == KEK_BYTES * 2:
            return bytes.fromhex(word)
        return base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error):
        raise BadKeyring(f"A key encryption key cannot be read. {_FORMAT}") from None
