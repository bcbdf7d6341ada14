"""How many events and bytes a session may produce: two token buckets. Pure; the caller brings the time."""

from __future__ import annotations

BURST_SECONDS = 4.0
"""Buckets hold this much of their rate, so that a burst passes and only a lasting flood is slowed down."""


class Budget:
    """Events pass while both buckets hold something; the debt that one may leave is waited out."""

    def __init__(self, *, events_per_second: float, bytes_per_second: float, now: float) -> None:
        self._rates = (events_per_second, bytes_per_second)
        self._levels = [rate * BURST_SECONDS for rate in self._rates]
        self._filled_at = now

    def wait(self, now: float) -> float:
        """Seconds until the next event may pass; 0 when it may pass now."""
        elapsed = max(0.0, now - self._filled_at)
        self._filled_at = now
        for index, rate in enumerate(self._rates):
            self._levels[index] = min(self._levels[index] + elapsed * rate, rate * BURST_SECONDS)
        return max(0.0, *(-level / rate for level, rate in zip(self._levels, self._rates, strict=True)))

    def charge(self, size: int) -> None:
        """An event of `size` bytes passed."""
        self._levels[0] -= 1
        self._levels[1] -= size
