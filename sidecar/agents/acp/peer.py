"""JSON-RPC with a program in the box: bounded lines, updates in order, a time for every call.

Importing this takes seconds of processor time, because of the library's models: see `host.load`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from acp.connection import Connection
from acp.exceptions import RequestError

from sidecar.agents import text
from sidecar.agents.acp.calls import Refused, Unreachable
from sidecar.agents.base import Process

log = structlog.get_logger(__name__)

MAX_LINE_BYTES = 8 * 1024 * 1024
MAX_REQUESTS = 200
MAX_UNKNOWN = 200
MAX_MESSAGE = 4000
UPDATE = "session/update"

OnUpdate = Callable[[dict[str, Any]], None]
OnRequest = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any] | None]]


class _Lines:
    """The library's transport over a process of the box.

    Updates are handed out here, in the order in which they come and before the answer that follows them; the
    library would make a task of each. Lines that are too long or no object are left out.
    """

    def __init__(self, process: Process, on_update: OnUpdate, room: Callable[[], Awaitable[None]]) -> None:
        self._process = process
        self._on_update = on_update
        self._room = room
        self._pieces: list[bytes] = []
        self._rest = b""

    async def send(self, message: dict[str, Any]) -> None:
        writer = self._process.stdin
        writer.write(json.dumps(message).encode() + b"\n")
        await writer.drain()

    async def receive(self) -> dict[str, Any] | None:
        while (line := await self._line()) is not None:
            message = _decoded(line)
            if message is None:
                continue
            if message.get("method") != UPDATE:
                return message
            await self._room()
            self._on_update(text.mapping(message.get("params")))
        return None

    async def close(self) -> None:
        self._process.stdin.close()

    async def _line(self) -> bytes | None:
        """The next line, None at the end; one that is too long is empty."""
        size = 0
        pieces: list[bytes] = []
        while True:
            head, end, tail = self._rest.partition(b"\n")
            size += len(head)
            if size <= MAX_LINE_BYTES:
                pieces.append(head)
            self._rest = tail
            if end:
                return b"".join(pieces) if size <= MAX_LINE_BYTES else b""
            try:
                self._rest = await self._process.stream.read(64 * 1024)
            except OSError:
                return None
            if not self._rest:
                return None


class Peer:
    """One connection. `on_request` answers the agent's requests: None means that we cannot do this."""

    def __init__(
        self,
        process: Process,
        *,
        on_update: OnUpdate,
        on_request: OnRequest,
        room: Callable[[], Awaitable[None]],
    ) -> None:
        self._on_request = on_request
        self._requests = 0
        self._unknown: set[str] = set()
        self._connection = Connection(self._handle, _Lines(process, on_update, room))

    async def call(self, method: str, params: dict[str, Any], seconds: float | None) -> dict[str, Any]:
        """The answer, which is hostile. Refused when the agent refuses, Unreachable when it does not answer.

        None means that it may take as long as it likes.
        """
        try:
            async with asyncio.timeout(seconds):
                return text.mapping(await self._connection.send_request(method, params))
        except RequestError as error:
            raise Refused(method, error.code, text.clean(str(error)), error.data) from error
        except TimeoutError as error:
            raise Unreachable(f"It did not answer {method} in time.") from error
        except OSError as error:
            raise Unreachable(f"It ended before it answered {method}.") from error

    async def notify(self, method: str, params: dict[str, Any], seconds: float) -> None:
        """Tell the agent something. Unreachable when it is gone, or does not read for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._connection.send_notification(method, params)
        except OSError as error:
            raise Unreachable(f"It does not hear {method}.") from error

    async def close(self) -> None:
        """Forget the agent; calls that wait end as Unreachable."""
        await self._connection.close()

    async def _handle(self, method: str, params: Any, is_notification: bool) -> Any:
        name = text.line(method, 100)
        if is_notification:
            self._note_unknown(name)
            return None
        if self._requests >= MAX_REQUESTS:
            raise RequestError.internal_error({"details": "too many requests wait"})
        self._requests += 1
        try:
            answer = await self._on_request(name, text.mapping(params))
        finally:
            self._requests -= 1
        if answer is None:
            self._note_unknown(name)
            raise RequestError.method_not_found(name)
        return answer

    def _note_unknown(self, method: str) -> None:
        if method not in self._unknown and len(self._unknown) < MAX_UNKNOWN:
            self._unknown.add(method)
            log.info("acp.unknown_method", method=method)


def _decoded(line: bytes) -> dict[str, Any] | None:
    """The message of a line; None for what is none, as when the program prints something for people."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    method, number = message.get("method"), message.get("id")
    is_named = method is None or isinstance(method, str)
    is_numbered = "id" not in message or isinstance(number, int | str)
    if not is_named or not is_numbered:
        return None
    if "error" in message:
        error = text.mapping(message["error"])
        code = error.get("code")
        said = text.clip(error.get("message"), MAX_MESSAGE)
        message["error"] = {
            "code": code if isinstance(code, int) else 0,
            "message": said,
            "data": error.get("data"),
        }
    return message
