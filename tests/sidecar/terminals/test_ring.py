"""The ring holds the newest bytes at their offsets, whatever the pieces they came in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.terminals.ring import MAX_MARKS, Ring, Sizes, Times

PIECES = st.lists(st.binary(max_size=40), max_size=30)


@given(pieces=PIECES, limit=st.integers(1, 50), data=st.data())
def test_every_place_that_is_kept_reads_as_it_was_written(
    pieces: list[bytes], limit: int, data: st.DataObject
) -> None:
    ring, written = Ring(limit), b""
    for piece in pieces:
        ring.append(piece)
        written += piece
        assert ring.end == len(written)
        assert ring.start == max(0, len(written) - limit)
        offset = data.draw(st.integers(ring.start, ring.end))
        length = data.draw(st.integers(0, 60))
        assert ring.read(offset, length) == written[offset : offset + length]
        assert ring.read(ring.start, limit) == written[-limit:]


def test_it_takes_memory_as_it_fills() -> None:
    ring = Ring(1 << 40)
    ring.append(b"x" * 1000)
    assert ring.read(0, 2000) == b"x" * 1000


@pytest.mark.parametrize("offset", [-1, 4, 16, 10**18])
def test_a_place_outside_is_refused(offset: int) -> None:
    ring = Ring(10)
    ring.append(b"0123456789abcde")
    with pytest.raises(ValueError, match="not in the ring"):
        ring.read(offset, 1)


def test_a_screen_begins_after_a_line_or_at_the_place_itself() -> None:
    ring = Ring(100)
    ring.append(b"one\ntwo\nthree")
    assert [ring.resume_point(offset) for offset in (0, 1, 4, 9)] == [0, 4, 8, 9]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), max_size=40), st.integers(0, 60))
def test_the_size_at_a_place_is_the_one_that_was_set_before_it(
    changes: list[tuple[int, int]], asked: int
) -> None:
    sizes, plain, end = Sizes(9, 9), {0: (9, 9)}, 0
    for step, rows in changes:
        end += step
        sizes.change(end, rows, 80)
        plain[end] = (rows, 80)
    assert sizes.now == plain[max(plain)]
    assert sizes.at(asked) == plain[max(offset for offset in plain if offset <= asked)]
    following = sizes.next_after(asked)
    assert following is None or (following > asked and sizes.at(following) != sizes.at(following - 1))
    kept = sizes.kept(asked)
    assert kept[0][0] <= asked and all(offset > asked for offset, _, _ in kept[1:])


def test_sizes_and_times_are_bounded() -> None:
    sizes, times = Sizes(1, 2), Times()
    for number in range(3 * MAX_MARKS):
        sizes.change(number, 1 + number % 2, 80)
        times.note(number, number)
    assert len(sizes.kept(0)) <= MAX_MARKS
    assert sizes.at(3 * MAX_MARKS) == (2, 80)
    marks = times.kept(0)
    assert len(marks) <= MAX_MARKS and marks[0] == (0, 0) and marks == sorted(marks)


def test_times_from_a_place_on_begin_with_the_one_before_it() -> None:
    times = Times()
    for mark in ((0, 0), (10, 5), (20, 9)):
        times.note(*mark)
    assert times.kept(15) == [(10, 5), (20, 9)]
