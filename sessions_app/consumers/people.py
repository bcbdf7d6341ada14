"""What the sockets of people share: who may connect, and signing in by cookie, token or ticket."""

from __future__ import annotations

import asyncio

import msgspec

from openagent.accounts import logins, tickets
from openagent.accounts.models import Scope
from openagent.lib import db, log
from sessions_app.consumers import base
from sidecar.protocol.frames import MAX_FRAME_BYTES

TICKET_SECONDS = 10


class _Ticket(msgspec.Struct):
    type: str
    ticket: str = ""


_decoder = msgspec.json.Decoder(_Ticket)


class PersonConsumer(base.SocketConsumer):
    """A connection that belongs to somebody's login."""

    login: logins.Login
    _ended: asyncio.Future[None]

    def may_connect(self) -> bool:
        """A cookie proves nothing without our own page's origin; a bearer token does."""
        has_bearer = b"authorization" in self.headers
        return self.has_own_origin(required=not has_bearer and b"cookie" in self.headers)

    async def sign_in(self) -> None:
        """Finds out whose connection this is. Closed when nobody's, or with a token that may not read."""
        self._ended = asyncio.get_running_loop().create_future()
        login = await db.run(logins.from_headers, self.headers)
        if login is None and b"authorization" not in self.headers and not self._has_login_cookie():
            login = await self._redeem_ticket()
        if login is None:
            raise base.Closed(base.UNAUTHENTICATED, "sign in first")
        self.login = login
        log.bind(user=login.user_id)
        if not login.may(Scope.READ):
            raise base.Closed(base.FORBIDDEN, "this token may not read")

    def end(self, code: int, reason: str) -> None:
        """Closes the connection from outside."""
        if not self._ended.done():
            self._ended.set_exception(base.Closed(code, reason))

    async def wait_for_end(self) -> None:
        """Until somebody ends it."""
        await self._ended

    def _has_login_cookie(self) -> bool:
        return b"cookie" in self.headers and logins.COOKIE_NAME.encode() in self.headers[b"cookie"]

    async def _redeem_ticket(self) -> logins.Login | None:
        try:
            async with asyncio.timeout(TICKET_SECONDS):
                message = decode(_decoder, await self.receive_text())
        except TimeoutError:
            return None
        return await db.run(tickets.redeem, message.ticket) if message.type == "ticket" else None


def decode(decoder: msgspec.json.Decoder[base.T], text: str) -> base.T:
    """A message of a browser. Closed when it is none."""
    if len(text) > MAX_FRAME_BYTES:
        raise base.Closed(base.BAD_FRAME, "message too long")
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        raise base.Closed(base.BAD_FRAME, "message not understood") from None
