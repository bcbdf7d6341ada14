"""Daphne, with what answers of any length and hostile clients need: `python -m openagent.web_server`.

By itself it takes whatever the application sends into memory, however slowly the client reads; and when an
application fails in the middle of an answer it leaves the client waiting and stops looking after its
connections. WebSockets are paced in both directions, and the bodies of requests are bounded. The options and
the ASGI application are Daphne's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from daphne.cli import CommandLineInterface
from daphne.server import Server
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer  # type: ignore[import-untyped]

from openagent.bounded_request import BoundedRequest
from openagent.lib import log
from openagent.paced_socket import Message, PacedSocket, Receive

_log = log.get(__name__)

Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_CUT = "openagent.cut"
_SOCKET = "openagent.socket"


@implementer(IPushProducer)
class _Pace:
    """Lets the sender of one answer go on while the connection takes it."""

    def __init__(self) -> None:
        self._may_send = asyncio.Event()
        self._may_send.set()

    async def wait(self) -> None:
        await self._may_send.wait()

    def pauseProducing(self) -> None:
        self._may_send.clear()

    def resumeProducing(self) -> None:
        self._may_send.set()

    def stopProducing(self) -> None:
        # The connection is gone: what is still sent goes nowhere, and nobody must wait for it.
        self._may_send.set()


class PacedServer(Server):  # type: ignore[misc]  # untyped
    """Waits with each piece of an answer, or message, until the client has taken the ones before."""

    def __init__(self, application: Application, **options: Any) -> None:
        super().__init__(_counting(_cutting(application)), ready_callable=self._bound, **options)

    def _bound(self) -> None:
        """Daphne makes the factories when it is run, and calls this before the first connection."""
        self.ws_factory.protocol = PacedSocket
        build = self.http_factory.buildProtocol

        def bounded(address: Any) -> Any:
            connection = build(address)
            connection.requestFactory = BoundedRequest
            return connection

        self.http_factory.buildProtocol = bounded

    def create_application(self, protocol: Any, scope: Message) -> Any:
        if isinstance(protocol, PacedSocket):
            scope[_SOCKET] = protocol
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: Message) -> None:
        if message["type"] == _CUT:
            protocol.loseConnection()
            return
        if message["type"] == "http.response.body" and protocol.channel is not None:
            await _pace(protocol, is_last=not message.get("more_body", False))
        elif message["type"] == "websocket.send":
            await protocol.room()
        await super().handle_reply(protocol, message)


async def _pace(request: Any, *, is_last: bool) -> None:
    """Twisted's own flow control: the connection pauses the producer when its buffer is full."""
    if request.producer is None and not is_last:
        request.registerProducer(_Pace(), True)
    if request.producer is not None:
        await request.producer.wait()
        if is_last and request.channel is not None:
            request.unregisterProducer()


def _counting(application: Application) -> Application:
    """Tells a WebSocket what the application has taken of what it has read."""

    async def counted(scope: Message, receive: Receive, send: Send) -> None:
        socket = scope.pop(_SOCKET, None)
        await application(scope, receive if socket is None else socket.counting(receive), send)

    return counted


def _cutting(application: Application) -> Application:
    """Ends the connection of an answer that fails after it has begun: the client sees that it is cut."""

    async def guarded(scope: Message, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = has_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await application(scope, receive, noting)
        except Exception:
            if not has_begun:
                raise
            _log.exception("an answer failed after it had begun")
            await send({"type": _CUT})

    return guarded


class _CommandLine(CommandLineInterface):  # type: ignore[misc]  # untyped
    server_class = PacedServer


if __name__ == "__main__":
    _CommandLine.entrypoint()
