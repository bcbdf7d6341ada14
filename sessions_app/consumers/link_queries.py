"""What the platform asks a sidecar over its link, and what it answers."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from openagent.lib.errors import AppError
from sidecar.protocol import changes, frames

QUERY_SECONDS = 15
MAX_PENDING_QUERIES = 32
_STATUSES = {"not_found": 404, "asleep": 409, "unavailable": 409, "not_kept": 409, "busy": 429}


class Queries:
    """Those that wait for their answers."""

    def __init__(self, put: Callable[[frames.Frame], None]) -> None:
        self._put = put
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def ask(self, verb: str, data: dict[str, Any], *, version: int) -> dict[str, Any]:
        """The answer; AppError with its code when it is an error, or when there is none.

        What a sidecar with this version of the link does not know, it is not asked.
        """
        if verb.startswith("changes.") and version < changes.VERSION:
            raise AppError("unavailable", "Not available in this session: its sidecar is too old.", 409)
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
            status = _STATUSES.get(frame.error, 400)
            waiting.set_exception(AppError(frame.error[:60], frame.message[:500], status))
        else:
            waiting.set_result(frame.data or {})

    def give_up(self) -> None:
        """The link is gone."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(AppError("asleep", "The session's box went away.", 409))
