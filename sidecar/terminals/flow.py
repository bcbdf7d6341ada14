"""How much of a program's output may be read at a moment, by who reads it at the other end: pure, no I/O.

The fastest viewer governs: what it has not acknowledged stays within AHEAD_BYTES, and in the ring. With no
viewer the program is held back at the same place for a while, and is then read on slowly, so that it comes to
its end some time.
"""

from __future__ import annotations

from typing import NamedTuple

AHEAD_BYTES = 512 * 1024
HOLD_SECONDS = 30.0
UNWATCHED_BYTES_PER_SECOND = 1024 * 1024
RECHECK_SECONDS = 5.0


class Leave(NamedTuple):
    """Read up to `room` bytes now; when that is none, look again after `seconds` or when a viewer moves."""

    room: int
    seconds: float


class Flow:
    """The reading of one terminal. Ask `leave` before each read and tell `read` how much it was."""

    def __init__(self, *, ring_bytes: int, hold_seconds: float = HOLD_SECONDS) -> None:
        # What is kept of the output must not leave the ring before the fastest viewer has it.
        self._ahead = min(AHEAD_BYTES, ring_bytes)
        self._hold_seconds = hold_seconds
        self._base = 0
        self._alone_since: float | None = None
        self._is_unwatched = False
        self._next_at = 0.0

    def leave(self, *, end: int, fastest: int | None, now: float) -> Leave:
        """`end` is where the output ends, `fastest` what the fastest viewer acknowledged, if there is one."""
        if fastest is not None:
            self._alone_since = None
            self._base = fastest
        elif self._alone_since is None:
            self._alone_since = now
        self._is_unwatched = False
        room = self._ahead - (end - self._base)
        if room > 0:
            return Leave(room, 0.0)
        if self._alone_since is None:
            # A viewer that does not acknowledge stops counting as one after a while.
            return Leave(0, RECHECK_SECONDS)
        wait = max(self._alone_since + self._hold_seconds, self._next_at) - now
        if wait > 0:
            return Leave(0, wait)
        self._is_unwatched = True
        return Leave(self._ahead, 0.0)

    def read(self, size: int, now: float) -> None:
        """So much was read."""
        if self._is_unwatched:
            self._next_at = max(self._next_at, now) + size / UNWATCHED_BYTES_PER_SECOND
