"""Input arrives once and in order, whatever is sent again, cut, lost or reordered on the way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.terminals.typed import MAX_CLIENTS, Typed

TEXT = bytes(range(256))


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 60)), max_size=60))
def test_whatever_arrives_is_the_beginning_of_what_was_typed(messages: list[tuple[int, int]]) -> None:
    typed, arrived = Typed(), b""
    for offset, length in messages:
        before = typed.expected("c")
        fresh = typed.accept("c", offset, TEXT[offset : offset + length])
        assert typed.expected("c") == before + len(fresh)
        arrived += fresh
        assert arrived == TEXT[: len(arrived)]


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.integers(0, 9)), min_size=1))
def test_a_client_that_sends_again_from_what_is_expected_loses_nothing(
    breaks: list[tuple[int, bool, int]],
) -> None:
    """As a browser does after each break: from the offset that the other end names, or from before it."""
    typed, arrived = Typed(), b""
    for size, is_lost, before in breaks:
        begin = max(0, typed.expected("c") - before)
        if not is_lost:
            arrived += typed.accept("c", begin, TEXT[begin : begin + before + size])
    begin = typed.expected("c")
    assert arrived + typed.accept("c", begin, TEXT[begin:]) == TEXT


def test_after_a_gap_nothing_is_taken() -> None:
    typed = Typed()
    assert typed.accept("c", 0, b"abc") == b"abc"
    assert typed.accept("c", 4, b"e") == b""
    assert typed.accept("c", 3, b"de") == b"de"


def test_clients_do_not_mix() -> None:
    typed = Typed()
    typed.accept("a", 0, b"xx")
    assert (typed.expected("a"), typed.expected("b")) == (2, 0)


def test_the_ones_that_were_silent_for_longest_are_forgotten() -> None:
    typed = Typed()
    for number in range(MAX_CLIENTS):
        typed.accept(str(number), 0, b"x")
    typed.accept("0", 1, b"y")
    typed.accept("new", 0, b"z")
    assert (typed.expected("0"), typed.expected("1"), typed.expected("new")) == (2, 0, 1)
