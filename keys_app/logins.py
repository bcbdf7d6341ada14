"""Logins of plans: what of a pasted login is kept, and for whom it may be used.

Of Codex's `auth.json` the access token and the account stay, and nothing that could renew it: whoever stole
it here would have it for days and not for ever, and the login on its owner's own machine is not disturbed.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from keys_app.provider import Provider
from openagent.lib.errors import AppError
from openagent.lib.redact import Secret
from sidecar.protocol import login

MOST_CHARACTERS = 32_768
_CLAIMS = "https://api.openai.com/auth"


class BadLogin(ValueError):
    """What was pasted is no login of the plan; the message says what to do and quotes nothing."""


class NotShareable(AppError):
    """The login of a plan is one person's."""

    def __init__(self) -> None:
        message = "The login of a plan is for one person and cannot be shared."
        super().__init__("login_not_shareable", message, 400)


def read(provider: Provider, pasted: Secret, *, now: datetime | None = None) -> Secret:
    """What is kept of it. BadLogin when it cannot be used."""
    if provider.login != "chatgpt":
        return pasted
    tokens = _tokens(pasted)
    access, account = tokens.get("access_token"), tokens.get("account_id")
    if not isinstance(access, str) or not access:
        raise BadLogin("This file has no login of a plan in it. Run `codex login`, and paste it again.")
    claims = _claims(access)
    if not isinstance(account, str) or not account:
        account = claims.get(_CLAIMS, {}).get("chatgpt_account_id")
    if not isinstance(account, str) or not account:
        raise BadLogin("This login does not say which account it is of. Run `codex login` again.")
    ends = claims.get("exp")
    if isinstance(ends, int) and ends <= (now or datetime.now(UTC)).timestamp():
        raise BadLogin("This login has expired. Use Codex once, which renews it, and paste the file again.")
    try:
        packed = login.pack(login.ChatGPT(access_token=access, account_id=account))
        login.unpack(packed)
    except (login.LoginError, UnicodeEncodeError):
        raise BadLogin("This login has characters that none has. Copy the whole file once more.") from None
    return Secret(packed)


def _tokens(pasted: Secret) -> dict[str, Any]:
    text = pasted.reveal()
    if len(text) > MOST_CHARACTERS:
        raise BadLogin("This is too long to be Codex's auth.json.")
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        decoded = None
    if not isinstance(decoded, dict):
        raise BadLogin(
            "Paste the whole of Codex's file ~/.codex/auth.json: it begins with { and ends with }."
        )
    tokens = decoded.get("tokens", decoded)
    return tokens if isinstance(tokens, dict) else {}


def _claims(token: str) -> dict[str, Any]:
    """What a JSON web token says of itself, unchecked; nothing when it is none."""
    try:
        middle = token.split(".")[1]
        decoded = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) and isinstance(decoded.get(_CLAIMS, {}), dict) else {}
