"""What the platform asks a sidecar over its link, and what it answers."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from openagent.lib.errors import AppError
from sidecar.protocol import frames

QUERY_SECONDS = 15
MAX_PENDING_QUERIES = 32


class Queries:
    """Those that wait for their answers."""

    def __init__(self, put: Callable[[frames.Frame], None]) -> None:
        self._put = put
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def ask(self, verb: str, data: dict[str, Any]) -> dict[str, Any]:
        """The answer; AppError with its code when it is an error, or when there is none."""
        if len(self._waiting) >= MAX_PENDING_QUERIES:
            raise AppError("slow_down", "Too many files are being read; try again in a moment.", 429)
        query_id = uuid.uuid4().hex
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[query_id] = answer
        try:
            self._put(frames.Query(id=query_id, verb=verb, data=data))  # type: ignore[arg-type]
            async with asyncio.timeout(QUERY_SECONDS):
                return await answer
        except TimeoutError:
            raise AppError("box_silent", "The box did not answer in time; try again.", 504) from None
        finally:
            del self._waiting[query_id]

    def answered(self, frame: frames.Answer) -> None:
        """The sidecar answers; what nobody waits for any more is dropped."""
        waiting = self._waiting.get(frame.id)
        if waiting is None or waiting.done():
            return
        if frame.error:
            status = {"not_found": 404, "asleep": 409, "busy": 429}.get(frame.error, 400)
            waiting.set_exception(AppError(frame.error[:60], frame.message[:500], status))
        else:
            waiting.set_result(frame.data or {})

    def give_up(self) -> None:
        """The link is gone."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(AppError("asleep", "The session's box went away.", 409))
