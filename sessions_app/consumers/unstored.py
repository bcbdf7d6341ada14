"""What came over one link and is not stored yet: how much it is, and since when it has waited."""

from __future__ import annotations

import time
from collections import deque


class Unstored:
    """Frames of events, each by the number of its last event."""

    def __init__(self) -> None:
        self.characters = 0
        self._frames: deque[tuple[int, int, float]] = deque()

    def add(self, seq: int, size: int) -> None:
        """A frame came, right now."""
        self._frames.append((seq, size, time.monotonic()))
        self.characters += size

    def forget(self, seq: int) -> float:
        """Everything up to `seq` is stored; the moment when the oldest frame of it came."""
        since = self._frames[0][2] if self._frames else time.monotonic()
        while self._frames and self._frames[0][0] <= seq:
            self.characters -= self._frames.popleft()[1]
        return since
