"""Logins of plans that consist of more than one word, as the one word that is kept, sealed and handed on.

Pure, and shared with the platform: it packs what the sidecar unpacks.
"""

from __future__ import annotations

import re

import msgspec

_PLAIN = re.compile(r"[\x21-\x7e]+")


class LoginError(ValueError):
    """It is no login; the message never quotes it."""


class ChatGPT(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a call with a ChatGPT plan needs of Codex's `auth.json`: nothing that could renew itself."""

    access_token: str
    account_id: str

    def __repr__(self) -> str:
        """Without the token."""
        return "ChatGPT()"


def pack(login: ChatGPT) -> str:
    """The login as one word."""
    return msgspec.json.encode(login).decode()


def unpack(word: str) -> ChatGPT:
    """What `pack` was given. LoginError when it was something else."""
    try:
        login = msgspec.json.decode(word, type=ChatGPT)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        login = None
    # Both become headers.
    if login is None or not all(map(_PLAIN.fullmatch, (login.access_token, login.account_id))):
        raise LoginError("this is no login of a ChatGPT plan")
    return login


def secret_of(word: str) -> str:
    """Of any key or login the part that must not be seen: what a provider gets, without the rest."""
    try:
        return unpack(word).access_token
    except LoginError:
        return word
