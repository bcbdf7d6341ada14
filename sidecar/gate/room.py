"""How many bytes of request bodies one gate holds at once, whatever its box sends over however many calls."""

from __future__ import annotations

import asyncio
from collections import deque


class Room:
    """Bytes are taken before they are read, and given back when they have gone on; in turn."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> None:
        """Returns when there is room for `size` bytes, which then count as taken. May be cancelled."""
        if not self._waiting and size <= self._free:
            self._free -= size
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            # Somebody else may have given room back since: then it was given, or passed over.
            if not turn.cancelled():
                self.give_back(size)
            self._admit()
            raise

    def give_back(self, size: int) -> None:
        """`size` bytes that were taken are held no longer."""
        self._free += size
        self._admit()

    def _admit(self) -> None:
        while self._waiting:
            size, turn = self._waiting[0]
            if not turn.cancelled():
                if size > self._free:
                    return
                self._free -= size
                turn.set_result(None)
            self._waiting.popleft()
