"""The listening socket of one box: a bounded number of connections, each of them closed for certain."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from sidecar import box_protocol

# How long a peer may take to read the rest before its connection is broken off.
CLOSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Reader(asyncio.StreamReader):
    """A stream reader that tells when nothing more will come."""

    def __init__(self) -> None:
        super().__init__(limit=box_protocol.MAX_LINE_BYTES)
        self.ended = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.ended.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.ended.set()


class Connection:
    """One accepted connection. Either side is held up when the other does not read."""

    def __init__(self, reader: Reader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def read_line(self) -> bytes:
        """The next line, empty at the end. BoxError when it is too long or cut off."""
        try:
            return await self.reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise box_protocol.broken("a message that is cut off") from error
            return b""
        except asyncio.LimitOverrunError as error:
            raise box_protocol.broken("a message that is too long") from error
        except ConnectionError:
            return b""

    async def read_all(self, limit: int) -> bytes:
        """Everything up to the end. BoxError when it is more than `limit` bytes."""
        data = bytearray()
        while chunk := await self.reader.read(box_protocol.MAX_LINE_BYTES):
            data += chunk
            if len(data) > limit:
                raise box_protocol.broken("an answer that is too long")
        return bytes(data)

    async def closed(self) -> None:
        """Wait until one side has closed it for good."""
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def close(self) -> None:
        """Close it once everything that was written has been read."""
        self.writer.close()

    def abort(self) -> None:
        self.writer.transport.abort()


Handler = Callable[[Connection, box_protocol.Hello], Awaitable[None]]


class Listener:
    """Calls `handler` with every connection that says what it is for; closes it when the handler returns.

    Beyond `limit` open connections a new one is turned away; so is one that greets wrongly or not at all. The
    running total of these goes to `turned_away`.
    """

    def __init__(
        self,
        handler: Handler,
        turned_away: Callable[[int], None],
        *,
        limit: int,
        greeting_seconds: float,
    ) -> None:
        self._handler = handler
        self._turned_away = turned_away
        self._limit = limit
        self._greeting_seconds = greeting_seconds
        self._count = 0
        self._open: dict[asyncio.Task[None], Connection] = {}
        self._server: asyncio.AbstractServer | None = None

    async def start(self, path: Path) -> None:
        """Listen. A socket that an earlier process left behind is replaced."""

        def protocol() -> asyncio.StreamReaderProtocol:
            reader = Reader()
            return asyncio.StreamReaderProtocol(
                reader, lambda _, writer: self._accept(Connection(reader, writer))
            )

        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(protocol, str(path), backlog=128)

    def stop(self) -> None:
        """Listen no more and break every connection off; their handlers are cancelled."""
        if self._server is not None:
            self._server.close()
        for task, connection in self._open.items():
            connection.abort()
            if task is not asyncio.current_task():
                task.cancel()

    async def stopped(self) -> None:
        """Wait until all handlers have returned."""
        await asyncio.gather(*self._open, return_exceptions=True)

    def _accept(self, connection: Connection) -> None:
        if len(self._open) >= self._limit:
            connection.abort()
            self.turn_away()
            return
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._open[task] = connection
        task.add_done_callback(self._open.pop)

    async def _serve(self, connection: Connection) -> None:
        try:
            hello = await self._greeting(connection)
            if hello is not None:
                await self._handler(connection, hello)
        except OSError as error:
            # The peer went away, which is how connections end; where it was something else, this tells.
            logger.debug("a connection from the box broke: %s", error)
        except Exception:
            logger.exception("the handler of a connection from the box failed")
        finally:
            await self._close(connection)

    async def _greeting(self, connection: Connection) -> box_protocol.Hello | None:
        try:
            async with asyncio.timeout(self._greeting_seconds):
                return box_protocol.decode_hello(await connection.read_line())
        except (TimeoutError, box_protocol.BoxError):
            self.turn_away()
            return None

    async def _close(self, connection: Connection) -> None:
        connection.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await connection.closed()
        except TimeoutError:
            connection.abort()

    def turn_away(self) -> None:
        """Count a connection that had no business here."""
        self._count += 1
        self._turned_away(self._count)
