"""Whether terminals work although nobody does anything in them: pure, no I/O."""

from __future__ import annotations

ANSWER_SECONDS = 5.0
"""What is printed so soon after somebody typed, looked or resized is taken for the answer to that."""
MOST_SECONDS = 12 * 3600.0
"""A screen that is redrawn for ever does not keep a session awake for ever."""
TELL_SECONDS = 20.0
"""At most once in that time: a third of a pass of the reaper."""


class Work:
    """What is printed in the terminals of a session."""

    def __init__(self) -> None:
        self._told_at: float | None = None

    def printed(self, *, now: float, touched_at: float) -> bool:
        """A program printed; whether to say that the session works. `touched_at`: when somebody last did
        anything in this terminal. Both in seconds of the same clock.
        """
        if not ANSWER_SECONDS <= now - touched_at <= MOST_SECONDS:
            return False
        if self._told_at is not None and now - self._told_at < TELL_SECONDS:
            return False
        self._told_at = now
        return True
