"""Single-use tickets for sockets, for clients that cannot send a header with one. Never put in a URL."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.utils import timezone

from openagent.accounts import logins
from openagent.accounts.models import WsTicket

LIFETIME = timedelta(seconds=60)

_PREFIX = "wst_"


def issue(login: logins.Login) -> str:
    """A ticket that opens one socket as `login`, soon and once."""
    now = timezone.now()
    # Nobody redeems these any more; who asks for tickets also clears them away.
    WsTicket.objects.filter(user_id=login.user_id, expires_at__lt=now).delete()
    ticket = _PREFIX + secrets.token_urlsafe(32)
    WsTicket.objects.create(
        digest=_digest(ticket),
        user_id=login.user_id,
        session_key=login.session_key,
        token_id=login.token_id,
        expires_at=now + LIFETIME,
    )
    return ticket


def redeem(ticket: str) -> logins.Login | None:
    """The login behind a ticket, the first time and while that login holds; None otherwise."""
    now = timezone.now()
    unused = WsTicket.objects.filter(digest=_digest(ticket), used_at=None, expires_at__gt=now)
    if not unused.update(used_at=now):
        return None
    row = WsTicket.objects.select_related("token").get(digest=_digest(ticket))
    login = logins.of_token(row.token) if row.token else logins.Login(row.user_id, row.session_key)
    return login if logins.alive([login]) else None


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode(errors="replace")).hexdigest()
