"""What the box reached and what it was refused, as events: added up by host, and a few seconds apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sidecar.gate.egress.policy import Reason, Target
from sidecar.protocol import messages

Emit = Callable[[str, messages.Data], None]

FLUSH_SECONDS = 3.0
MAX_HOSTS = 50
"""Of each kind that are told at a time; of what is more only the number is told."""


class Record:
    """`flush` tells what is known at once; nothing is told after `close`."""

    def __init__(self, emit: Emit, *, seconds: float = FLUSH_SECONDS) -> None:
        self._emit = emit
        self._seconds = seconds
        self._used: dict[Target, messages.EgressUsed] = {}
        self._blocked: dict[tuple[Target, Reason], messages.EgressBlocked] = {}
        self._beyond = {"egress.used": 0, "egress.blocked": 0}
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def connected(self, target: Target) -> None:
        """A connection, or a request, reached the host."""
        if entry := self._entry(target):
            entry.count += 1

    def passed(self, target: Target, *, up: int, down: int) -> None:
        """It ended, after so many bytes."""
        if entry := self._entry(target):
            entry.bytes_up += up
            entry.bytes_down += down

    def blocked(self, target: Target, reason: Reason) -> None:
        """The box was refused the host."""
        self._flush_later()
        entry = self._blocked.get((target, reason))
        if entry is None and len(self._blocked) >= MAX_HOSTS:
            self._beyond["egress.blocked"] += 1
            return
        if entry is None:
            entry = messages.EgressBlocked(host=target.host, port=target.port, reason=reason, count=0)
            self._blocked[target, reason] = entry
        entry.count += 1

    def flush(self) -> None:
        """Tell what has not been told."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_closed:
            return
        told: list[tuple[str, messages.Data]] = [("egress.used", entry) for entry in self._used.values()]
        told += [("egress.blocked", entry) for entry in self._blocked.values()]
        told += [
            ("events.suppressed", messages.Suppressed(kind=kind, count=count))
            for kind, count in self._beyond.items()
            if count
        ]
        self._used, self._blocked = {}, {}
        self._beyond = dict.fromkeys(self._beyond, 0)
        for kind, data in told:
            self._emit(kind, data)

    def close(self) -> None:
        self.flush()
        self._is_closed = True

    def _entry(self, target: Target) -> messages.EgressUsed | None:
        self._flush_later()
        entry = self._used.get(target)
        if entry is None and len(self._used) >= MAX_HOSTS:
            self._beyond["egress.used"] += 1
            return None
        if entry is None:
            entry = messages.EgressUsed(host=target.host, port=target.port, count=0)
            self._used[target] = entry
        return entry

    def _flush_later(self) -> None:
        if self._timer is None and not self._is_closed:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self.flush)
