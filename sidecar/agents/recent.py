"""A set that remembers the newest members only, so that a hostile source cannot make it grow."""

from __future__ import annotations


class Recent:
    """Up to `limit` strings; the oldest is forgotten first."""

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._members: dict[str, None] = {}

    def add(self, member: str) -> None:
        """Remember `member`."""
        self._members[member] = None
        if len(self._members) > self._limit:
            del self._members[next(iter(self._members))]

    def __contains__(self, member: str) -> bool:
        return member in self._members
