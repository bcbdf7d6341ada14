"""A program is read as far as its fastest viewer is; without one it is held up, and then read slowly."""

from __future__ import annotations

from sidecar.terminals.flow import AHEAD_BYTES, UNWATCHED_BYTES_PER_SECOND, Flow

CHUNK = 65536


class Reader:
    """Reads whenever it may, against a clock of its own."""

    def __init__(self, ring_bytes: int = 2**21) -> None:
        self.flow = Flow(ring_bytes=ring_bytes, hold_seconds=30.0)
        self.end = 0
        self.now = 1000.0

    def read(self, *, fastest: int | None, seconds: float) -> int:
        """How much was read in this time."""
        before, until = self.end, self.now + seconds
        while True:
            leave = self.flow.leave(end=self.end, fastest=fastest, now=self.now)
            if leave.room > 0:
                size = min(leave.room, CHUNK)
                self.flow.read(size, self.now)
                self.end += size
            elif self.now + leave.seconds > until:
                self.now = until
                return self.end - before
            else:
                self.now += leave.seconds


def test_a_viewer_that_acknowledges_nothing_stops_it() -> None:
    assert Reader().read(fastest=0, seconds=1000) == AHEAD_BYTES


def test_nothing_leaves_a_small_ring_before_the_fastest_viewer_has_it() -> None:
    reader = Reader(ring_bytes=1000)
    assert reader.read(fastest=0, seconds=1000) == 1000
    assert reader.read(fastest=10, seconds=0) == 10


def test_it_goes_on_as_far_as_the_fastest_viewer() -> None:
    reader = Reader()
    for fastest in range(0, 10**8, 10**6):
        reader.read(fastest=fastest, seconds=0)
        assert reader.end == fastest + AHEAD_BYTES


def test_without_a_viewer_it_is_held_and_then_read_slowly() -> None:
    reader = Reader()
    reader.read(fastest=10**9, seconds=0)
    assert reader.read(fastest=None, seconds=29) == 0
    read = reader.read(fastest=None, seconds=61)
    assert 0.9 * 60 * UNWATCHED_BYTES_PER_SECOND < read < 1.1 * 60 * UNWATCHED_BYTES_PER_SECOND


def test_a_viewer_that_comes_back_takes_over_at_once_and_the_hold_begins_anew() -> None:
    reader = Reader()
    reader.read(fastest=None, seconds=100)
    assert reader.read(fastest=reader.end, seconds=0) == AHEAD_BYTES
    assert reader.read(fastest=None, seconds=29) == 0
