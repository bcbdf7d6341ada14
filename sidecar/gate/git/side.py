"""The box's side of an exchange with a git host: it hears of no account; a push's head is read first."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sidecar.gate.git import pkt_line, pushes, requests
from sidecar.gate.git.requests import Refused
from sidecar.gate.redaction import Redactor
from sidecar.http1 import Connection, Headers

_PACK = (b"content-type", b"application/x-git-upload-pack-result")


class Side:
    """What `forward.Exchange` reads the request from and writes the answer to."""

    def __init__(self, connection: Connection, host: str) -> None:
        self.connection = connection
        self._host = host
        self._pieces = connection.body()
        self._head = b""
        self._redactor = Redactor("")

    def hide(self, secret: str) -> None:
        """The answer will be without this, wherever it stands."""
        self._redactor = Redactor(secret)

    async def commands(self) -> list[bytes]:
        """The lines with which a push begins; they stay part of the body. `pkt_line.Malformed`."""
        while (found := pkt_line.until_flush(self._head)) is None:
            if len(self._head) > pushes.MAX_COMMAND_BYTES:
                raise pkt_line.Malformed
            piece = await anext(self._pieces, b"")
            if not piece:
                raise pkt_line.Malformed
            self._head += piece
        return found[0]

    async def body(self) -> AsyncIterator[bytes]:
        if self._head:
            yield self._head
        async for piece in self._pieces:
            yield piece

    async def start(self, status: int, headers: Headers, *, reason: bytes = b"") -> None:
        """Refused for an answer that would lead git elsewhere, or have it ask for a password."""
        if 300 <= status < 400:
            raise Refused(
                502, f"{self._host} says that the repository is elsewhere. Use its present address."
            )
        if status in (401, 403, 404):
            raise Refused(403, f"{self._host} has no such repository for this session, or refuses its token.")
        if any(name == b"content-encoding" and value != b"identity" for name, value in headers):
            # It was not asked for, and the token could not be found in it.
            raise Refused(502, f"{self._host} answers compressed.")
        passing = requests.response_headers(tuple(headers))
        if _PACK in passing:
            # What git packs is compressed: nothing could be found in it.
            self._redactor = Redactor("")
        else:
            passing = tuple(pair for pair in passing if pair[0] != b"content-length")
        await self.connection.start(status, passing, reason=reason)

    async def send(self, data: bytes) -> None:
        if passing := self._redactor.feed(data):
            await self.connection.send(passing)

    async def end(self) -> None:
        if rest := self._redactor.finish():
            await self.connection.send(rest)
        await self.connection.end()
