"""The way of an event to the link: checked, merged with what waits, and given its number when its time comes.

That is as late as possible: when the link is idle, when the event has waited MERGE_SECONDS, or when it begins
or ends something. When the journal is full, the disk takes nothing or the session is over its budget, `put`
waits, and with it the reading of the agent.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass

from sidecar import intake
from sidecar.budget import Budget
from sidecar.ledger import Ledger
from sidecar.protocol import coalesce, messages, stream
from sidecar.veil import Veil

MERGE_SECONDS = 0.033
RETRY_SECONDS = 1.0
BATCH_EVENTS = 64
BATCH_BYTES = 256 * 1024

SUPPRESSIBLE = frozenset({"tool.upsert", "plan", "file.changed", "agent.status", "agent.config", "error"})
"""Kinds of which a flood is only counted. Text is never lost: its sender waits."""

_URGENT = frozenset({"turn.started", "turn.ended", "permission.asked", "permission.answered"})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of a session's events may be kept, wait, and pass per second."""

    journal_bytes: int = 64 * 1024 * 1024
    waiting_events: int = 512
    waiting_bytes: int = 1024 * 1024
    events_per_second: float = 500.0
    bytes_per_second: float = 4.0 * 1024 * 1024


class Outbox:
    """The events of one generation. `ready` is set while `next_frame` may have something to send."""

    def __init__(
        self, ledger: Ledger, limits: Limits | None = None, *, ready: asyncio.Event | None = None
    ) -> None:
        self.ready = ready or asyncio.Event()
        self._ledger = ledger
        self._limits = limits or Limits()
        self._veil = Veil()
        self._drafts = coalesce.Coalescer()
        self._batch: list[coalesce.Draft] = []
        self._journaled = 0
        self._budget: Budget | None = Budget(
            events_per_second=self._limits.events_per_second,
            bytes_per_second=self._limits.bytes_per_second,
            now=time.monotonic(),
        )
        self._is_over_budget = False
        self._timer: asyncio.TimerHandle | None = None
        self._has_room = asyncio.Event()
        self._is_settled = asyncio.Event()
        self._is_settled.set()
        self._until_journaled: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def put(self, kind: str, data: messages.Data, *, turn: str | None) -> None:
        """An agent's event: waits while there is no room. MessageError when it cannot be stored."""
        for passing in self._veil.over(kind, data, turn):
            for admitted in intake.admit(passing.kind, passing.data):
                if self._may_add() or await self._room_for(passing.kind, admitted, passing.turn):
                    self._add(passing.kind, admitted, passing.turn)

    def emit(self, kind: str, data: messages.Data, *, turn: str | None = None) -> None:
        """An event of the sidecar itself: never waits and is never counted away; there are few of them."""
        for passing in self._veil.over(kind, data, turn):
            for admitted in intake.admit(passing.kind, passing.data, most_bytes=intake.MAX_OWN_BYTES):
                self._add(passing.kind, admitted, passing.turn)

    def hide(self, secret: str) -> None:
        """The box has it: from now on no event shows it."""
        self._veil.hide(secret)

    def veiled(self, text: str) -> str:
        """`text` as an event would show it, for what goes up beside the events."""
        return self._veil.veiled(text)

    async def durable(self) -> None:
        """Return when everything that was put or emitted before is on the disk, however long that takes."""
        self._pump()
        if self._journaled < self._drafts.added:
            journaled = asyncio.get_running_loop().create_future()
            self._until_journaled.append((self._drafts.added, journaled))
            await journaled
        while not await self._ledger.sync():
            await asyncio.sleep(RETRY_SECONDS)

    async def settled(self) -> None:
        """Return when the platform has stored everything."""
        await self._is_settled.wait()

    def lift_budget(self) -> None:
        """The session ends: what waits may pass at once."""
        self._budget = None
        self._pump()

    def next_frame(self) -> bytes | None:
        """The next events to send as one text message; None, and `ready` is cleared, when there are none."""
        if self._ledger.is_idle:
            self._pump()
        entries = self._ledger.take()
        if not entries:
            self.ready.clear()
            return None
        return stream.events_frame(entries)

    @property
    def last_seq(self) -> int:
        """The number of the newest event."""
        return self._ledger.last_seq

    @property
    def bytes_kept(self) -> int:
        """The size of what the platform has not stored."""
        return self._ledger.bytes_kept

    @property
    def is_stalled(self) -> bool:
        """Whether the disk takes no events."""
        return self._ledger.is_stalled

    def note_command(self, number: int) -> None:
        """Commands up to `number` are carried out."""
        self._ledger.note_command(number)

    def acknowledge(self, seq: int) -> None:
        """The platform has stored events up to `seq`. StreamError when that cannot be."""
        self._ledger.acknowledge(seq)
        self._after_freeing()

    def resume(self, stored: int) -> None:
        """A new connection, whose other end has stored events up to `stored`. StreamError as above."""
        self._ledger.resume(stored)
        self._after_freeing()

    async def close(self) -> None:
        """Number nothing any more and let go of the journal."""
        if self._timer:
            self._timer.cancel()
        await self._ledger.close()

    def _may_add(self) -> bool:
        limits = self._limits
        return self._drafts.count < limits.waiting_events and self._drafts.size < limits.waiting_bytes

    async def _room_for(self, kind: str, admitted: intake.Admitted, turn: str | None) -> bool:
        """Wait for room; False when the event needs none any more."""
        self._pump()
        while not self._may_add():
            if self._is_over_budget and self._squeeze(kind, admitted, turn):
                return False
            self._has_room.clear()
            await self._has_room.wait()
        return True

    def _squeeze(self, kind: str, admitted: intake.Admitted, turn: str | None) -> bool:
        """Over budget and no room: merge harder, or count what may be counted; False when it has to wait."""
        if self._drafts.size < self._limits.waiting_bytes and self._drafts.merge(
            kind, admitted.data, turn=turn, size=admitted.size
        ):
            return True
        if kind not in SUPPRESSIBLE:
            return False
        count = messages.Suppressed(kind=kind, count=1)
        self._drafts.add("events.suppressed", count, turn=turn, size=100)
        return True

    def _add(self, kind: str, admitted: intake.Admitted, turn: str | None) -> None:
        self._drafts.add(kind, admitted.data, turn=turn, size=admitted.size)
        self._is_settled.clear()
        if kind in _URGENT:
            self._pump()
        elif self._ledger.is_idle:
            self.ready.set()
        self._pump_in(MERGE_SECONDS)

    def _after_freeing(self) -> None:
        self.ready.set()
        self._pump_in(MERGE_SECONDS)
        self._look_around()

    def _pump_in(self, seconds: float) -> None:
        if self._timer is None and (self._drafts.count or self._batch):
            self._timer = asyncio.get_running_loop().call_later(seconds, self._pump)

    def _pump(self) -> None:
        """Number and journal what waits, as far as journal, budget and disk allow."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._is_over_budget = False
        while (self._batch or self._drafts.count) and self._ledger.bytes_kept < self._limits.journal_bytes:
            if not self._batch and (seconds := self._wait_for_budget()):
                self._is_over_budget = True
                self._pump_in(seconds)
                break
            if not self._write():
                self._pump_in(RETRY_SECONDS)
                break
        self._look_around()

    def _wait_for_budget(self) -> float:
        return self._budget.wait(time.monotonic()) if self._budget else 0.0

    def _write(self) -> bool:
        """Journal one batch; a batch that the disk does not take is kept for the next time."""
        size = sum(draft.size for draft in self._batch)
        while self._drafts.count and len(self._batch) < BATCH_EVENTS and size < BATCH_BYTES:
            draft = self._drafts.take()
            self._batch.append(draft)
            size += draft.size
            if self._budget:
                self._budget.charge(draft.size)
        if not self._ledger.write(self._batch):
            return False
        self._journaled += len(self._batch)
        self._batch = []
        self.ready.set()
        return True

    def _look_around(self) -> None:
        """Wake whoever waits for what has become true."""
        if self._may_add() or self._is_over_budget:
            self._has_room.set()
        while self._until_journaled and self._until_journaled[0][0] <= self._journaled:
            journaled = self._until_journaled.popleft()[1]
            if not journaled.done():
                journaled.set_result(None)
        if self._ledger.is_settled and not self._drafts.count and not self._batch:
            self._is_settled.set()
