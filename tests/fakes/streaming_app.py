"""An ASGI application that answers with long, failing and short streams, and counts what it sends."""

from __future__ import annotations

import asyncio
from typing import Any

PIECE = b"x" * 65536
PIECES = 4096

CLOSED = 4000

_sent = 0
_may_take = asyncio.Event()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """/long: PIECES pieces. /fails: a few, then an error. /sent: how many pieces were sent so far.

    /take: lets the sockets take what they are sent.
    """
    global _sent
    if scope["type"] != "http":
        await _socket(scope["path"], receive, send)
        return
    path = scope["path"]
    if path == "/take":
        _may_take.set()
    if path == "/fails-at-once":
        raise RuntimeError("before the answer")
    headers = [(b"x-path", path.encode()), (b"x-root", scope["root_path"].encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if path in ("/sent", "/take"):
        await send({"type": "http.response.body", "body": str(_sent).encode()})
        return
    for number in range(PIECES):
        if path == "/fails" and number == 3:
            raise RuntimeError("in the middle")
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        _sent += 1
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _socket(path: str, receive: Any, send: Any) -> None:
    """/pushes: PIECES messages. /takes: waits until it may, and says how many bytes came before a text."""
    global _sent
    await receive()
    await send({"type": "websocket.accept"})
    if path == "/pushes":
        for _ in range(PIECES):
            await send({"type": "websocket.send", "bytes": PIECE})
            _sent += 1
    else:
        await _may_take.wait()
        _may_take.clear()
        taken = 0
        while data := (await receive()).get("bytes"):
            taken += len(data)
        await send({"type": "websocket.send", "text": str(taken)})
    await send({"type": "websocket.close", "code": CLOSED})
