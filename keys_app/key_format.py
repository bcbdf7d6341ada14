"""Looks at a pasted key before it is kept, so that a wrong paste is explained at once. Never quotes it."""

from __future__ import annotations

import re

from keys_app import logins, providers
from openagent.lib.errors import AppError
from openagent.lib.redact import Secret
from sidecar.protocol import login

SHORTEST, LONGEST = 8, 4096

_ASSIGNMENT = re.compile(r"(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


class BadKey(AppError):
    """What was pasted cannot be a key for this provider."""

    def __init__(self, message: str) -> None:
        super().__init__(
            "key_wrong_shape", message, 400, errors={"key": [{"message": message, "code": "key_wrong_shape"}]}
        )


def check(provider: providers.Provider, pasted: Secret, *, has_own_address: bool = False) -> Secret:
    """The key without the blanks around it, or BadKey with what is wrong and what to do."""
    if not provider.needs_key:
        raise BadKey(f"{provider.name} needs no key.")
    try:
        key = logins.read(provider, Secret(pasted.reveal().strip()))
    except logins.BadLogin as error:
        raise BadKey(str(error)) from None
    _check_paste(key)
    # Behind a proxy of the administrator's, or at an endpoint of the owner's, keys look as that wants.
    if not provider.has_custom_base_url and not has_own_address:
        _check_prefix(provider, key)
    return key


def hint(key: Secret) -> str:
    """The last four characters, by which an owner recognises a key; nothing of a very short one."""
    value = login.secret_of(key.reveal())
    return value[-4:] if len(value) >= 3 * SHORTEST else ""


def _check_paste(key: Secret) -> None:
    value = key.reveal()
    if not value:
        raise BadKey("Paste the key.")
    if value[:7].lower() == "bearer ":
        raise BadKey("Paste the key alone, without the word Bearer.")
    if _ASSIGNMENT.match(value):
        raise BadKey("Paste only what follows the equals sign.")
    if value[0] in "\"'`" or value[-1] in "\"'`":
        raise BadKey("Paste the key without quotation marks.")
    if not _PRINTABLE.fullmatch(value):
        raise BadKey("A key is one word without blanks or special characters. Copy it once more.")
    if len(value) < SHORTEST:
        raise BadKey("This is too short to be a key. Copy the whole of it.")
    if len(value) > LONGEST:
        raise BadKey("This is too long to be a key.")


def _check_prefix(provider: providers.Provider, key: Secret) -> None:
    own = _matched(provider, key)
    other = max(providers.every(), key=lambda candidate: len(_matched(candidate, key)))
    if len(_matched(other, key)) > len(own):
        raise BadKey(f"This looks like a key for {other.name}, not for {provider.name}.")
    if provider.key_prefixes and not own:
        raise BadKey(f"A key for {provider.name} looks like {provider.key_format}")


def _matched(provider: providers.Provider, key: Secret) -> str:
    matching = (prefix for prefix in provider.key_prefixes if key.reveal().startswith(prefix))
    return max(matching, key=len, default="")
