"""Daphne's HTTP request with a body of bounded length, and no word of the client's about our addresses.

By itself it takes a body of any length onto the disk, and from there into memory, before the application is
asked whether it wants it. Its `Daphne-Root-Path` header would make `/x/metrics` mean `/metrics`, past the
rules of a proxy in front of us.
"""

from __future__ import annotations

from typing import Any

from daphne.http_protocol import WebRequest
from django.conf import settings

_REFUSAL = (
    b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 27\r\n\r\nThe request is far too big.\n"
)


def most_bytes() -> int:
    """What is taken in. Up to here the application refuses what is too long, and can say more about it."""
    return 2 * int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


class BoundedRequest(WebRequest):  # type: ignore[misc]  # untyped
    """Answers 413 as soon as a body says, or shows, that it is too long, and ends the connection."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_refused = False

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        if length is not None and length > most_bytes():
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        if self._is_refused:
            return  # What had arrived with the piece that was too much.
        if self.content.tell() + len(data) > most_bytes():
            self._refuse()
        else:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if not self._is_refused:
            super().requestReceived(command, path, version)

    def process(self) -> Any:
        self.requestHeaders.removeHeader(b"Daphne-Root-Path")
        return super().process()

    def _refuse(self) -> None:
        self._is_refused = True
        # Nobody shall be told to go on (100) after this.
        self.requestHeaders.removeHeader(b"Expect")
        # Only one request of a connection is being read at a time, and the answers before it are written.
        self.channel.transport.write(_REFUSAL)
        self.channel.loseConnection()
