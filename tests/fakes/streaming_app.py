"""An ASGI application that answers with long, failing and short streams, and counts what it sends."""

from __future__ import annotations

from typing import Any

PIECE = b"x" * 65536
PIECES = 4096

_sent = 0


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """/long: PIECES pieces. /fails: a few, then an error. /sent: how many pieces were sent so far."""
    global _sent
    if scope["type"] != "http":
        return
    path = scope["path"]
    if path == "/fails-at-once":
        raise RuntimeError("before the answer")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-path", path.encode())]})
    if path == "/sent":
        await send({"type": "http.response.body", "body": str(_sent).encode()})
        return
    for number in range(PIECES):
        if path == "/fails" and number == 3:
            raise RuntimeError("in the middle")
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        _sent += 1
    await send({"type": "http.response.body", "body": b"", "more_body": False})
