"""What all sockets share: a receive loop of their own, the check of the origin, and closing with a code.

Channels' stock consumer costs a thread hop and a task for every message; ours keeps Channels' routing and
scope, and awaits the server directly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError
from django.http.request import split_domain_port, validate_host

from openagent.lib import log

_log = log.get(__name__)

T = TypeVar("T")
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

UNAUTHENTICATED = 4401
FORBIDDEN = 4403
GONE = 4404
SUPERSEDED = 4409
SLOW_DOWN = 4429
BAD_FRAME = 4400
TRY_AGAIN = 1013


class Closed(Exception):
    """Ends the connection with this code; raised by whoever finds that it has to end."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Disconnected(Exception):
    """The other side is gone."""


class SocketConsumer:
    """One connection. Subclasses implement `may_connect` and `serve`."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self._receive = receive
        self._send = send

    @classmethod
    def as_asgi(cls) -> Application:
        """The ASGI application that makes one consumer for each connection."""

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            await cls(scope, receive, send).run()

        return application

    def may_connect(self) -> bool:
        """Whether the handshake is accepted at all; a refusal is answered with HTTP 403."""
        raise NotImplementedError

    async def serve(self) -> None:
        """The connection's life after it was accepted."""
        raise NotImplementedError

    async def run(self) -> None:
        """Accepts, serves, and closes with the code that ended it."""
        message = await self._receive()
        if message["type"] != "websocket.connect":
            return
        if not self.may_connect():
            await self._send({"type": "websocket.close"})
            return
        await self._send({"type": "websocket.accept"})
        try:
            await self.serve()
        except Closed as closed:
            await self._send({"type": "websocket.close", "code": closed.code, "reason": closed.reason[:120]})
        except Disconnected:
            return
        except DatabaseError:
            # The other side comes again, by when the database may be back.
            _log.warning("database not reachable, socket closed", path=self.scope.get("path"))
            await self._send({"type": "websocket.close", "code": TRY_AGAIN})

    async def receive_text(self) -> str:
        """The next text message. Disconnected when there will be none; Closed when it is not text."""
        message = await self.receive_either()
        if isinstance(message, bytes):
            raise Closed(BAD_FRAME, "text expected")
        return message

    async def receive_either(self) -> str | bytes:
        """The next message, text or binary. Disconnected when there will be none."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Disconnected
        text = message.get("text")
        return bytes(message["bytes"]) if text is None else str(text)

    async def send_text(self, text: str) -> None:
        """Sends one text message."""
        await self._send({"type": "websocket.send", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        """Sends one binary message."""
        await self._send({"type": "websocket.send", "bytes": data})

    def has_own_origin(self, *, required: bool) -> bool:
        """Whether the page that opened this socket is ours, by an exact comparison of its origin."""
        origin = self.headers.get(b"origin")
        if origin is None:
            return not required
        return origin.decode("latin-1") in self._own_origins()

    def _own_origins(self) -> set[str]:
        origins = set()
        if settings.OPENAGENT_PUBLIC_URL:
            public = urlsplit(settings.OPENAGENT_PUBLIC_URL)
            origins.add(f"{public.scheme}://{public.netloc}")
        host = self.headers.get(b"host", b"").decode("latin-1")
        domain, _ = split_domain_port(host)
        # Only allowed hosts: a name that merely resolves to this machine is not ours.
        if domain and "*" not in settings.ALLOWED_HOSTS and validate_host(domain, settings.ALLOWED_HOSTS):
            origins.add(f"{'https' if self.scope.get('scheme') == 'wss' else 'http'}://{host}")
        return origins


async def refuse_unknown(scope: Scope, receive: Receive, send: Send) -> None:
    """Addresses that are no socket: accepted and closed as gone, like a stranger's session."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": GONE})


async def run_together(*coroutines: Awaitable[None]) -> None:
    """Runs all until one ends or fails, cancels the others, and raises what ended it."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
