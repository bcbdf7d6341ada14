"""Who is behind a socket: reads a login from headers, and rechecks many logins at once while they are used.

A login is either Django's login session (a cookie) or an access token. REST requests do not need this: their
authentication classes ask the same questions once per request.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.http import parse_cookie
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from openagent.accounts import login_store, tokens
from openagent.accounts.models import AccessToken, Scope, User

COOKIE_NAME: str = settings.SESSION_COOKIE_NAME

_EVERYTHING = frozenset(Scope.values)


@dataclass(frozen=True)
class Login:
    """A user, and the login session (the key of its row) or the token that proves it: one of these is set."""

    user_id: uuid.UUID
    session_key: str = field(default="", repr=False)
    token_id: uuid.UUID | None = None
    scopes: frozenset[str] = _EVERYTHING

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes


def from_headers(headers: Mapping[bytes, bytes]) -> Login | None:
    """The login that these headers prove. A bearer token that proves none is not saved by a cookie."""
    authorization = headers.get(b"authorization")
    if authorization is not None:
        scheme, _, value = authorization.decode("latin-1").partition(" ")
        return _from_token(value.strip()) if scheme.lower() == "bearer" else None
    cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    session_key = cookies.get(COOKIE_NAME, "")
    # Anything else is no key that we gave out, and some of it no text that a database takes.
    return _from_session(session_key) if session_key.isascii() and session_key.isalnum() else None


def of_token(token: AccessToken) -> Login:
    return Login(user_id=token.user_id, token_id=token.pk, scopes=frozenset(token.scopes))


def alive(logins: Iterable[Login]) -> set[Login]:
    """Those of these logins that still hold: with at most three queries, however many there are.

    A login session holds until it expires, is signed out or its user's password changes; a token until it
    expires or is deleted; and both only while the user is active.
    """
    asked = set(logins)
    users = User.objects.filter(is_active=True).in_bulk({login.user_id for login in asked})
    tokens_left = _tokens_left({login.token_id for login in asked if login.token_id})
    sessions_left = _sessions_left({login.session_key for login in asked if login.session_key})
    return {
        login
        for login in asked
        if (user := users.get(login.user_id))
        and (
            tokens_left.get(login.token_id) == login.scopes
            if login.token_id
            else belongs_to(sessions_left.get(login.session_key, {}), user)
        )
    }


def _from_token(value: str) -> Login | None:
    token = tokens.find(value)
    return of_token(token) if token else None


def of_cookie(user_id: uuid.UUID, session_key: str) -> Login:
    """`session_key` is what the cookie says."""
    return Login(user_id=user_id, session_key=login_store.row_key(session_key))


def _from_session(session_key: str) -> Login | None:
    session_key = login_store.row_key(session_key)
    data = _sessions_left({session_key}).get(session_key, {})
    user_id = _user_id(data)
    user = User.objects.filter(pk=user_id, is_active=True).first() if user_id else None
    return Login(user_id=user.pk, session_key=session_key) if user and belongs_to(data, user) else None


def _tokens_left(token_ids: set[uuid.UUID]) -> dict[uuid.UUID | None, frozenset[str]]:
    if not token_ids:
        return {}
    rows = tokens.unexpired().filter(pk__in=token_ids).values_list("pk", "scopes")
    return {pk: frozenset(scopes) for pk, scopes in rows}


def _sessions_left(session_keys: set[str]) -> dict[str, dict[str, Any]]:
    if not session_keys:
        return {}
    rows = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    return {row.session_key: row.get_decoded() for row in rows}


def _user_id(data: Mapping[str, Any]) -> uuid.UUID | None:
    try:
        return uuid.UUID(data[SESSION_KEY])
    except (KeyError, ValueError, TypeError):
        return None


def belongs_to(data: Mapping[str, Any], user: User) -> bool:
    """Whether a login session with this data is the user's.

    Not any more when the password changed since: the hash in the session is of the password.
    """
    if _user_id(data) != user.pk:
        return False
    proof = data.get(HASH_SESSION_KEY, "")
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(proof, expected) for expected in hashes)
