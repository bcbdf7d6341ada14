"""Daphne's WebSocket in bounded memory: it sends, and reads, no faster than the other end takes.

By itself it takes into memory whatever the application sends and whatever the client sends, and an answer to
each ping, however slowly the other end reads.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer  # type: ignore[import-untyped]

from openagent.lib import log

_log = log.get(__name__)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]

STALLED_SECONDS = 60.0
"""Who takes nothing more for so long is let go: whatever waits to send to them must not wait for ever."""
MAX_UNTAKEN_BYTES = 1 << 20
"""Of messages that the application has not taken yet; with more than this nothing further is read."""
MESSAGE_BYTES = 256
"""What a message costs beside its payload, so that many empty ones count too."""


@implementer(IPushProducer)
class PacedSocket(WebSocketProtocol):  # type: ignore[misc]  # untyped
    """One connection. Its transport says when its buffer is full, and stops reading when the queue is."""

    def __init__(self) -> None:
        super().__init__()
        self._may_send = asyncio.Event()
        self._may_send.set()
        self._giving_up: asyncio.TimerHandle | None = None
        self._unanswered_ping: bytes | None = None
        self._untaken: deque[int] = deque()
        self._untaken_bytes = 0
        self._is_reading = True

    async def room(self) -> None:
        """Returns when more may be sent, at once unless the buffer is full; or the connection is gone."""
        while not self._may_send.is_set():
            await self._may_send.wait()

    def counting(self, receive: Receive) -> Receive:
        """The application's `receive`, which makes room for what is read next."""

        async def counted() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                self._untaken_bytes -= self._untaken.popleft()
                if self._untaken_bytes <= MAX_UNTAKEN_BYTES // 2:
                    self._read_on()
            return message

        return counted

    # --- called by the transport -----------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        # Autobahn's own first makes a coloured debug message: half the cost of reading a small frame.
        self._dataReceived(data)

    def pauseProducing(self) -> None:
        # It says so again with each further write.
        if self._may_send.is_set():
            self._may_send.clear()
            self._giving_up = asyncio.get_running_loop().call_later(STALLED_SECONDS, self._give_up)

    def resumeProducing(self) -> None:
        self._let_go()
        if self._unanswered_ping is not None:
            payload, self._unanswered_ping = self._unanswered_ping, None
            super().onPing(payload)

    def stopProducing(self) -> None:
        self._let_go()

    # --- called by Daphne and by autobahn --------------------------------------------------------------

    def onOpen(self) -> None:
        super().onOpen()
        # Until now the transport told the HTTP connection that this was.
        self.unregisterProducer()
        self.registerProducer(self, True)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        # As autobahn's, without its debug message and its statistics.
        if sync or chopsize or self.send_queue:
            super().sendData(data, sync, chopsize)
        else:
            self.transport.write(data)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.state != self.STATE_OPEN:
            return  # We are closing it, and only wait for the client to say so too.
        super().onMessage(payload, isBinary)
        size = len(payload) + MESSAGE_BYTES
        self._untaken.append(size)
        self._untaken_bytes += size
        if self._untaken_bytes > MAX_UNTAKEN_BYTES and self._is_reading:
            self._is_reading = False
            self.transport.pauseProducing()

    def onPing(self, payload: bytes) -> None:
        # Only the last one needs an answer (RFC 6455, 5.5.3).
        if self._may_send.is_set():
            super().onPing(payload)
        else:
            self._unanswered_ping = payload

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        super().onClose(wasClean, code, reason)
        # Autobahn may have unregistered us by now, so that nothing else tells us.
        self._let_go()

    def serverClose(self, code: int | None = None) -> None:
        try:
            # Not Daphne's way, which refuses the registered codes that we use, as 1013 (try again later).
            self.sendCloseFrame(code=1000 if code is None else code)
        finally:
            self._read_on()

    def handle_exception(self, exception: BaseException) -> None:
        super().handle_exception(exception)
        self._read_on()

    # --- its own ---------------------------------------------------------------------------------------

    def _read_on(self) -> None:
        """There is room for more; or it is being closed, and the client's part in that has to be seen."""
        if not self._is_reading:
            self._is_reading = True
            self.transport.resumeProducing()

    def _let_go(self) -> None:
        """Nobody has to wait any more."""
        self._may_send.set()
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None

    def _give_up(self) -> None:
        _log.warning("a client does not read what it is sent, connection cut", path=self.request.path)
        self.transport.abortConnection()
