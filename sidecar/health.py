"""Whether this sidecar lives and is ready, over HTTP on loopback or a unix socket; and the check that asks.

`python -m sidecar.health TARGET [PATH]` is that check: TARGET is a port of this host or the path of a socket,
PATH is /healthz (it answers at all) unless /readyz is named. It exits with 0 or 1.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sidecar.http1 import BadRequest, Connection, Limits, PeerGone

if TYPE_CHECKING:
    # The check, which runs every few seconds, needs nothing of it.
    from sidecar.session import Session

TIMEOUT_SECONDS = 3.0
_LIMITS = Limits(header_bytes=8192, body_bytes=0, idle_seconds=10.0)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, kw_only=True)
class Health:
    """What a check may know of an instance. `is_ready`: linked, and able to do what it is there for."""

    is_ready: bool
    stage: str
    is_linked: bool
    unstored_bytes: int
    is_stalled: bool


def of(session: Session | None, *, is_linked: bool, is_ended: bool, stage: str) -> Health:
    """The health of an instance; `session` is the one that claimed it."""
    outbox = session.outbox if session else None
    is_waiting_or_ready = session is None or session.is_ready
    return Health(
        is_ready=is_linked and is_waiting_or_ready and not is_ended,
        stage=stage,
        is_linked=is_linked,
        unstored_bytes=outbox.bytes_kept if outbox else 0,
        is_stalled=outbox.is_stalled if outbox else False,
    )


class Server:
    """Answers /healthz and /readyz with 200 or 503 and a small JSON object."""

    def __init__(self, status: Callable[[], Health]) -> None:
        self._status = status
        self._servers: list[asyncio.AbstractServer] = []
        self._open: set[asyncio.Task[None]] = set()

    async def start(self, *, port: int = 0, path: str = "") -> None:
        """Listen on this loopback port, if any, and on this unix socket, if any. OSError when taken."""
        if port:
            self._servers.append(await asyncio.start_server(self._connected, "127.0.0.1", port))
        if path:
            Path(path).unlink(missing_ok=True)
            self._servers.append(await asyncio.start_unix_server(self._connected, path))

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        tasks = tuple(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._converse(Connection(reader, writer, _LIMITS)))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _converse(self, connection: Connection) -> None:
        try:
            while (request := await connection.request()) is not None:
                status, body = self._answer(request.target)
                await connection.respond(status, [(b"content-type", b"application/json")], body)
        except (PeerGone, BadRequest):
            connection.abort()
        finally:
            await connection.close()

    def _answer(self, target: bytes) -> tuple[int, bytes]:
        status = self._status()
        if target == b"/healthz":
            return 200, b'{"status":"ok"}'
        if target == b"/readyz":
            return 200 if status.is_ready else 503, _encoder.encode(status)
        return 404, b'{"status":"not found"}'


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over the unix socket at `path`."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_SECONDS)
        self.sock.connect(self._path)


def check(target: str, path: str = "/healthz") -> bool:
    """Whether the sidecar behind `target` answers `path` with 200."""
    connection = (
        http.client.HTTPConnection("127.0.0.1", int(target), timeout=TIMEOUT_SECONDS)
        if target.isdecimal()
        else _UnixConnection(target)
    )
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit("usage: python -m sidecar.health TARGET [/healthz|/readyz]")
    sys.exit(0 if check(*sys.argv[1:]) else 1)
