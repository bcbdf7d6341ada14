"""A program in the box, on a terminal or not: its bytes and its exit code, as the box tells them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from typing import Any

from sidecar.box_connections import Connection
from sidecar.box_protocol import BoxError


class BoxProcess:
    """What `BoxServer.exec` answers.

    Output and errors come merged on `stream`; a reader that stops reading stops the program at last.
    """

    def __init__(self, number: int, send: Callable[[dict[str, Any]], None]) -> None:
        self.number = number
        self._send = send
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._connection: Connection | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def stream(self) -> asyncio.StreamReader:
        """The program's output; its end may come after the program's, when children of it still write."""
        return self._attached.reader

    @property
    def stdin(self) -> asyncio.StreamWriter:
        """The program's input: `write`, `drain`, and `write_eof` to end it."""
        return self._attached.writer

    async def wait(self) -> int:
        """The exit code; negative is the signal that ended it. BoxError when the box is gone."""
        return await asyncio.shield(self._exit)

    async def kill(self, signal_number: int = signal.SIGTERM) -> None:
        """Signal the program and its children; that it, or the whole box, has ended is success."""
        try:
            self._send({"op": "kill", "id": self.number, "signal": int(signal_number)})
        except BoxError:
            return

    async def close(self) -> None:
        """Kill the program and forget it, whatever it still has to say."""
        await self.kill(signal.SIGKILL)
        if self._connection is not None:
            self._connection.abort()

    def attach(self, connection: Connection) -> None:
        """The box has connected the program's input and output."""
        self._connection = connection
        self._closing = asyncio.get_running_loop().create_task(self._close_when_done(connection))

    def ended(self, code: int) -> None:
        """The box says that the program has ended."""
        if not self._exit.done():
            self._exit.set_result(code)

    def lost(self, error: BoxError) -> None:
        """The box is gone, and nobody knows how the program ended."""
        if not self._exit.done():
            self._exit.set_exception(error)
            self._exit.exception()  # Nobody may be waiting.

    @property
    def _attached(self) -> Connection:
        assert self._connection is not None, "exec answers a process only when it is connected"
        return self._connection

    async def _close_when_done(self, connection: Connection) -> None:
        # All output has been received by then, so closing loses nothing that is still to be read.
        try:
            await connection.reader.ended.wait()
            await asyncio.shield(self._exit)
        except BoxError:
            pass
        finally:
            connection.close()


class BoxPty(BoxProcess):
    """What `BoxServer.pty` answers: a program on a terminal. `stdin` is what is typed."""

    def resize(self, rows: int, cols: int) -> None:
        """Set the terminal's size; that it, or the whole box, has ended is success."""
        self._tell({"op": "resize", "id": self.number, "rows": rows, "cols": cols})

    def redraw(self) -> None:
        """Ask the program in the foreground to draw itself anew."""
        self._tell({"op": "redraw", "id": self.number})

    def _tell(self, order: dict[str, Any]) -> None:
        with contextlib.suppress(BoxError):
            self._send(order)
