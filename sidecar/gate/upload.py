"""The body of one model call on its way up: it waits for room, is read and checked, and goes in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sidecar.gate import asked, bodies
from sidecar.gate.asked import Asked
from sidecar.gate.failures import Failed
from sidecar.gate.room import Room
from sidecar.gate.wires import WireName
from sidecar.http1 import Connection, Request

PIECE_BYTES = 64 * 1024


class Upload:
    """`read`, then `pieces` once; `let_go` in any case. `is_sent` when the last of it goes up."""

    def __init__(self, room: Room, room_seconds: float) -> None:
        self._room = room
        self._room_seconds = room_seconds
        self._body = b""
        self._held = 0
        self.asked = Asked()
        self.is_sent = False

    async def read(
        self, connection: Connection, request: Request, *, wire: WireName, path: str, asks_for_usage: bool
    ) -> int:
        """Read the request's body and what it asks for; its size. Failed, BadRequest, PeerGone."""
        limit = connection.limits.body_bytes
        # As long as it says it is, else as long as it may be.
        await self._make_room(min(int(request.header(b"content-length") or limit), limit))
        self._body = bodies.checked(await connection.whole_body(), asks_for_usage=asks_for_usage)
        self.asked = asked.read(wire, path, self._body)
        return len(self._body)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body; it is forgotten when it is sent."""
        for start in range(0, len(self._body), PIECE_BYTES):
            self.is_sent = start + PIECE_BYTES >= len(self._body)
            yield self._body[start : start + PIECE_BYTES]
        self.let_go()

    def let_go(self) -> None:
        """The body is held no longer."""
        self._room.give_back(self._held)
        self._body, self._held = b"", 0

    async def _make_room(self, size: int) -> None:
        try:
            async with asyncio.timeout(self._room_seconds):
                await self._room.take(size)
        except TimeoutError as error:
            words = "The model calls of this session send too much at once. Try again."
            raise Failed(503, "provider_unavailable", words) from error
        self._held = size
