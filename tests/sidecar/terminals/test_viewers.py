"""Viewers: places, credit, order, flags, one leader, sizes; any order of moves gives the same bytes."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sidecar.protocol import terminals
from sidecar.protocol.terminals import ANSWER, CHUNK_BYTES, LIVE, OUTPUT, WINDOW_BYTES
from sidecar.terminals.ring import Ring, Sizes
from sidecar.terminals.viewers import STALLED_SECONDS, Audience, Viewer

MIB = 1024 * 1024


def viewer(number: int = 1, *, live_from: int = 0, size: tuple[int, int] | None = None) -> Viewer:
    return Viewer(
        number=number,
        client=f"c{number}",
        name="Alice",
        sent=0,
        live_from=live_from,
        progress_at=0.0,
        size=size,
    )


def everything(one: Viewer, ring: Ring, sizes: Sizes, ended: terminals.Ended | None = None) -> list[object]:
    """All it is sent without acknowledging: tells, and (flags, offset, data) of output."""
    found: list[object] = []
    while (message := one.next(ring, sizes, ended, 0.0)) is not None:
        if isinstance(message, bytes):
            _, number, rest = terminals.unpack_link(message, OUTPUT)
            assert number == one.number
            found.append(terminals.unpack(rest))
        else:
            found.append(message)
    return found


def outputs(found: list[object]) -> list[tuple[int, int, bytes]]:
    return [each for each in found if isinstance(each, tuple)]


def filled(size: int, limit: int = 2 * MIB) -> Ring:
    ring = Ring(limit)
    ring.append(bytes(range(251)) * (size // 251) + b"." * (size % 251))
    return ring


def test_output_comes_in_chunks_and_stops_at_the_window() -> None:
    ring = filled(MIB)
    one = viewer()
    pieces = outputs(everything(one, ring, Sizes(24, 80)))
    assert sum(len(data) for _, _, data in pieces) == WINDOW_BYTES
    assert max(len(data) for _, _, data in pieces) == CHUNK_BYTES
    one.acknowledge(CHUNK_BYTES, 1.0)
    (again,) = outputs(everything(one, ring, Sizes(24, 80)))
    assert again[1] == WINDOW_BYTES and len(again[2]) == CHUNK_BYTES


def test_acknowledgements_that_lie_change_nothing() -> None:
    ring, one = filled(MIB), viewer()
    everything(one, ring, Sizes(24, 80))
    for offset in (-5, 0, WINDOW_BYTES + 1, 2**62):
        one.acknowledge(offset, 1.0)
    assert outputs(everything(one, ring, Sizes(24, 80))) == []


def test_replayed_bytes_are_told_from_live_ones_and_only_the_leader_answers() -> None:
    ring, audience = Ring(MIB), Audience()
    ring.append(b"old")
    first, second = viewer(1, live_from=ring.end), viewer(2, live_from=ring.end)
    for one in (first, second):
        audience.add(one, end=ring.end)
    ring.append(b"new")
    assert outputs(everything(first, ring, Sizes(24, 80))) == [(0, 0, b"old"), (LIVE | ANSWER, 3, b"new")]
    assert outputs(everything(second, ring, Sizes(24, 80))) == [(0, 0, b"old"), (LIVE, 3, b"new")]


def test_a_byte_has_at_most_one_viewer_that_answers_it() -> None:
    ring, audience = Ring(MIB), Audience()
    first, second = viewer(1), viewer(2)
    audience.add(first, end=0)
    audience.add(second, end=0)
    ring.append(b"aaa")
    everything(first, ring, Sizes(24, 80))
    audience.has_typed(2, end=ring.end)
    ring.append(b"bbb")
    assert outputs(everything(second, ring, Sizes(24, 80))) == [(LIVE, 0, b"aaa"), (LIVE | ANSWER, 3, b"bbb")]
    assert outputs(everything(first, ring, Sizes(24, 80))) == [(LIVE, 3, b"bbb")]
    audience.remove(2, end=ring.end)
    ring.append(b"ccc")
    assert outputs(everything(first, ring, Sizes(24, 80))) == [(LIVE | ANSWER, 6, b"ccc")]


def test_a_change_of_size_comes_in_its_place() -> None:
    ring, sizes = Ring(MIB), Sizes(24, 80)
    ring.append(b"wide")
    sizes.change(4, 24, 40)
    ring.append(b"narrow")
    found = everything(viewer(), ring, sizes)
    assert found == [(LIVE, 0, b"wide"), terminals.Size(offset=4, rows=24, cols=40), (LIVE, 4, b"narrow")]


def test_the_end_comes_after_the_last_byte_and_once() -> None:
    ring, ended = filled(WINDOW_BYTES + 10), terminals.Ended(offset=WINDOW_BYTES + 10, reason="exited")
    one = viewer()
    assert ended not in everything(one, ring, Sizes(24, 80), ended)
    one.acknowledge(WINDOW_BYTES, 1.0)
    assert everything(one, ring, Sizes(24, 80), ended)[-1] == ended
    assert everything(one, ring, Sizes(24, 80), ended) == []


def test_a_viewer_whose_place_is_gone_begins_anew_after_a_line() -> None:
    ring, one = Ring(1000), viewer()
    for number in range(1000):
        ring.append(b"line %d\n" % number)
    found = everything(one, ring, Sizes(24, 80))
    reset = found[0]
    assert isinstance(reset, terminals.Reset) and reset.offset > ring.start
    assert isinstance(found[1], terminals.Size)
    assert outputs(found)[0][2].startswith(b"line ")
    assert outputs(found)[0][1] == reset.offset


def test_whose_place_is_gone_is_sent_nothing_before_it_has_taken_what_it_was_sent() -> None:
    ring, sizes, one = Ring(MIB), Sizes(24, 80), viewer()
    for _ in range(8):
        ring.append(b"a line\n" * (MIB // 7))
        everything(one, ring, sizes)
    assert (one.sent, one.acknowledged) == (WINDOW_BYTES, 0)
    one.acknowledge(WINDOW_BYTES - 1, 1.0)
    assert everything(one, ring, sizes) == []
    one.acknowledge(WINDOW_BYTES, 1.0)
    assert isinstance(everything(one, ring, sizes)[0], terminals.Reset)


def test_the_smallest_size_wins_and_everybody_is_told_who_is_there() -> None:
    audience = Audience()
    assert audience.smallest() is None
    audience.add(viewer(1, size=(50, 80)), end=0)
    audience.add(viewer(2, size=(24, 200)), end=0)
    audience.add(viewer(3), end=0)
    assert audience.smallest() == (24, 80)
    audience.has_typed(2, end=0)
    (told,) = audience.viewers[3].tells
    assert isinstance(told, terminals.Watchers)
    assert (told.you, told.leader, told.typist, len(told.viewers)) == (3, 2, 2, 3)
    audience.remove(2, end=0)
    assert audience.smallest() == (50, 80)


def test_the_fastest_viewer_counts_and_a_stalled_one_does_not() -> None:
    audience, ring = Audience(), filled(MIB)
    slow, fast = viewer(1), viewer(2)
    for one in (slow, fast):
        audience.add(one, end=0)
        everything(one, ring, Sizes(24, 80))
    fast.acknowledge(1000, 1.0)
    assert audience.fastest(2.0) == 1000
    assert audience.fastest(2.0 + STALLED_SECONDS) is None
    slow.acknowledge(10, 2.0 + STALLED_SECONDS)
    assert audience.fastest(2.0 + STALLED_SECONDS) == 10


class Watching(RuleBasedStateMachine):
    """Whatever happens in whatever order, a viewer sees the bytes of the program, each at its place."""

    def __init__(self) -> None:
        super().__init__()
        self.ring, self.sizes, self.written = Ring(5000), Sizes(24, 80), b""
        self.viewer = viewer()
        self.place = self.unacknowledged = 0

    @rule(data=st.binary(min_size=1, max_size=3000))
    def write(self, data: bytes) -> None:
        self.ring.append(data)
        self.written += data

    @rule(rows=st.integers(1, 4))
    def resize(self, rows: int) -> None:
        self.sizes.change(self.ring.end, rows, 80)

    @rule()
    def send(self) -> None:
        message = self.viewer.next(self.ring, self.sizes, None, 0.0)
        if isinstance(message, bytes):
            _, offset, data = terminals.unpack(terminals.unpack_link(message, OUTPUT).rest)
            assert offset == self.place
            assert data == self.written[offset : offset + len(data)]
            self.place += len(data)
            self.unacknowledged += len(data)
        elif isinstance(message, terminals.Reset):
            self.place = message.offset

    @precondition(lambda self: self.place > 0)
    @rule()
    def acknowledge(self) -> None:
        self.viewer.acknowledge(self.place, 0.0)
        self.unacknowledged = 0

    @invariant()
    def credit_is_kept(self) -> None:
        assert self.unacknowledged <= WINDOW_BYTES


TestWatching = Watching.TestCase
TestWatching.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


@given(st.binary(max_size=80))
def test_bytes_that_are_no_message_are_refused_or_read_back(raw: bytes) -> None:
    for kind in (OUTPUT, terminals.INPUT):
        try:
            message = terminals.unpack_link(raw, kind)
            flags, offset, data = terminals.unpack(message.rest)
        except ValueError:
            continue
        assert raw == bytes([kind]) + message.viewer.to_bytes(4, "big") + terminals.pack(flags, offset, data)
