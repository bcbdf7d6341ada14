"""Cumulative output becomes pieces that add up to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.agents.output import KEPT_END, MAX_PIECE, Output
from sidecar.protocol.messages import ToolOutput

SLIDING = 30_000


def added_up(pieces: list[ToolOutput]) -> str:
    text = ""
    for piece in pieces:
        assert piece.offset == len(text)
        assert len(piece.text) <= MAX_PIECE
        text += piece.text
    return text


def shown(text: str) -> str:
    """Output as OpenCode repeats it."""
    return text if len(text) <= SLIDING else "...\n\n" + text[-SLIDING:]


@given(st.lists(st.text(max_size=50), max_size=20))
def test_pieces_add_up_to_the_whole(news: list[str]) -> None:
    output, whole, pieces = Output("t"), "", []
    for fresh in news:
        whole += fresh
        pieces += output.update(whole)
    if whole != "(no output)":
        assert added_up(pieces + output.finish()) == whole.replace("\0", "\ufffd")


def test_output_that_slides_is_followed() -> None:
    output, whole, pieces = Output("t"), "", []
    for number in range(40):
        whole += "".join(f"{number * 500 + line}\n" for line in range(500))
        pieces += output.update(shown(whole))
    assert added_up(pieces) == whole


def test_output_that_slid_too_far_shows_the_gap() -> None:
    output = Output("t")
    pieces = output.update("first\n")
    pieces += output.update(shown("first\n" + "".join(f"line {n}\n" for n in range(20_000))))
    text = added_up(pieces)
    assert text.startswith("first\n\n...\n\n")
    assert text.endswith("line 19999\n")
    assert [piece.gap for piece in pieces] == [False, True, False]


def test_output_of_which_only_the_end_was_ever_seen_says_so() -> None:
    output = Output("t")
    whole = "".join(f"line {n}\n" for n in range(20_000))
    pieces = output.update(shown(whole)) + output.update(shown(whole + "the end\n"))
    assert added_up(pieces) == whole[-SLIDING:] + "the end\n"
    assert [piece.gap for piece in pieces] == [True, False, False]


def test_a_short_output_that_begins_like_the_mark_is_whole() -> None:
    pieces = Output("t").update("...\n\nand so on")
    assert added_up(pieces) == "...\n\nand so on"
    assert not pieces[0].gap


def test_a_gap_beyond_the_limit_is_told_with_the_end() -> None:
    output = Output("t", limit=10)
    output.update("0123456789")
    assert output.update(shown("x" * 50_000)) == []
    (last,) = output.finish()
    assert last.gap


def test_beyond_the_limit_only_the_end_is_kept_and_the_rest_counted() -> None:
    output = Output("t", limit=1000)
    pieces, whole = [], ""
    for number in range(100):
        whole += f"{number:>9}\n" * 100
        pieces += output.update(shown(whole))
    assert len(added_up(pieces)) == 1000
    (last,) = output.finish()
    assert last.offset == 1000
    assert last.text == whole[-KEPT_END:]
    assert last.omitted == len(whole) - 1000 - KEPT_END
    assert output.finish() == []


def test_no_output_is_no_piece() -> None:
    assert Output("t").update("(no output)") == []
    assert Output("t").update(None) == []
    assert Output("t").update("") == []


def test_a_rewritten_output_is_added() -> None:
    output = Output("t")
    pieces = output.update("one two three") + output.update("something else")
    assert added_up(pieces) == "one two threesomething else"


def test_hostile_repetition_costs_no_long_time() -> None:
    output = Output("t")
    output.update("a" * 60_000)
    for number in range(20):
        output.update("a" * 30_000 + "b" * (number + 1))
