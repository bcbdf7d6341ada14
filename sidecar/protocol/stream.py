"""The bookkeeping of a numbered stream that outlives its connections: pure, no I/O, used by both ends.

`Outgoing` keeps what the other side has not stored yet, sends it within a credit and again after a reconnect.
`Incoming` drops repeats and refuses gaps. Together they deliver every entry exactly once and in order,
whatever the connections between them lose, repeat or reorder.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec

from sidecar.protocol import messages

CREDIT_BYTES = 1 << 20
"""How much may be sent and not yet acknowledged."""

FRAME_BYTES = 64 * 1024
"""Entries are sent together up to this size; a single larger one goes alone."""


class StreamError(Exception):
    """The two ends disagree about what was sent and stored, in a way that no resending can heal."""


class Gap(StreamError):
    """An entry is missing before this one: the connection lost something and must be made again."""

    def __init__(self, *, expected: int, number: int) -> None:
        super().__init__(f"expected number {expected}, got {number}")
        self.expected = expected
        self.number = number


class Outgoing:
    """Encoded entries, numbered one by one from `first` on, until the other side has stored them."""

    def __init__(self, *, first: int = 1, credit: int = CREDIT_BYTES) -> None:
        self._credit = credit
        self._before_first = first - 1
        self._sent: deque[bytes] = deque()
        self._waiting: deque[bytes] = deque()
        self.acknowledged = first - 1
        self.last = first - 1
        self.bytes_in_flight = 0
        self.bytes_waiting = 0

    @property
    def bytes_kept(self) -> int:
        """The size of everything that is not acknowledged."""
        return self.bytes_in_flight + self.bytes_waiting

    @property
    def is_idle(self) -> bool:
        """Whether everything has been sent (though perhaps not acknowledged)."""
        return not self._waiting

    @property
    def is_settled(self) -> bool:
        """Whether everything has been acknowledged."""
        return not self._waiting and not self._sent

    def append(self, entry: bytes) -> int:
        """Keep `entry` for sending; returns its number."""
        self._waiting.append(entry)
        self.bytes_waiting += len(entry)
        self.last += 1
        return self.last

    def take(self, limit: int = FRAME_BYTES) -> list[bytes]:
        """The next entries to send, in order: empty when nothing waits or the credit is used up."""
        taken: list[bytes] = []
        size = 0
        while self._waiting:
            following = len(self._waiting[0])
            if taken and size + following > limit:
                break
            # An entry larger than the whole credit still has to go: alone.
            if self.bytes_in_flight and self.bytes_in_flight + following > self._credit:
                break
            entry = self._waiting.popleft()
            self._sent.append(entry)
            self.bytes_waiting -= following
            self.bytes_in_flight += following
            size += following
            taken.append(entry)
        return taken

    def acknowledge(self, number: int) -> None:
        """Forget entries up to `number`, which the other side has stored; an old number changes nothing."""
        if number > self.acknowledged + len(self._sent):
            raise StreamError("an entry was acknowledged that had not been sent")
        while self.acknowledged < number:
            self.bytes_in_flight -= len(self._sent.popleft())
            self.acknowledged += 1

    def resume(self, stored: int) -> None:
        """A new connection: the other side holds entries up to `stored` (0: none); the rest is sent again."""
        stored = max(stored, self._before_first)
        if stored < self.acknowledged:
            raise StreamError("entries are missing on the other side that it had acknowledged")
        if stored > self.last:
            raise StreamError("the other side holds entries that were never made here")
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
        self.bytes_waiting += self.bytes_in_flight
        self.bytes_in_flight = 0
        while self.acknowledged < stored:
            self.bytes_waiting -= len(self._waiting.popleft())
            self.acknowledged += 1

    def unacknowledged(self) -> list[bytes]:
        """Everything that the other side may not have, in order, beginning with number `acknowledged + 1`."""
        return [*self._sent, *self._waiting]


class Incoming:
    """The receiving cursor: `last` is the number of the newest entry that this end holds."""

    def __init__(self, last: int = 0) -> None:
        self.last = last

    def accept(self, number: int) -> bool:
        """Whether the entry is new and next; False for a repeat. Gap when an entry before it is missing."""
        if number <= self.last:
            return False
        if number > self.last + 1:
            raise Gap(expected=self.last + 1, number=number)
        self.last = number
        return True


class _EncodedEvent(msgspec.Struct, kw_only=True):
    """messages.Event with its data already in JSON."""

    v: int = messages.ENVELOPE_VERSION
    seq: int
    gen: int
    turn: str | None
    ts: str
    kind: str
    data: msgspec.Raw


_encoder = msgspec.json.Encoder()


def encode_event(*, seq: int, gen: int, turn: str | None, ts: str, kind: str, data: bytes) -> bytes:
    """The JSON of an event whose `data` is JSON already: made once, then journaled and sent as it is."""
    return _encoder.encode(
        _EncodedEvent(seq=seq, gen=gen, turn=turn, ts=ts, kind=kind, data=msgspec.Raw(data))
    )


def events_frame(events: Sequence[bytes]) -> bytes:
    """The text message of a frames.Events that holds these encoded events."""
    return b'{"type":"events","events":[' + b",".join(events) + b"]}"


def salvage_frame(*, gen: int, events: Sequence[bytes], done: bool) -> bytes:
    """The text message of a frames.Salvage that holds these encoded events."""
    head = b'{"type":"salvage","gen":%d,"done":%s,"events":[' % (gen, b"true" if done else b"false")
    return head + b",".join(events) + b"]}"
