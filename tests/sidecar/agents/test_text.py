"""Whatever an agent sends becomes text that can be stored, of bounded size."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.agents import text

# Python's own strategy leaves surrogates out; agents do not.
HOSTILE = st.text(st.characters(exclude_categories=[]), max_size=200)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HOSTILE,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(HOSTILE, inner, max_size=5),
    max_leaves=20,
)


@given(HOSTILE)
def test_clean_text_can_be_stored(value: str) -> None:
    cleaned = text.clean(value)
    cleaned.encode("utf-8")
    assert "\0" not in cleaned


def test_halves_of_a_character_are_joined_and_lone_ones_replaced() -> None:
    assert text.clean("\ud83d\ude00 \ud83d \ude00") == "😀 \ufffd \ufffd"


@pytest.mark.parametrize("value", [None, 1, True, [], {}, b"bytes"])
def test_what_is_no_text_is_nothing(value: object) -> None:
    assert text.clean(value) == ""


@given(HOSTILE, st.integers(0, 300))
def test_clipped_text_has_its_length(value: str, limit: int) -> None:
    assert len(text.clip(value, limit)) <= limit


def test_what_was_clipped_is_counted() -> None:
    assert text.clip("x" * 1000, 100).endswith("more characters]")
    assert text.clip("short", 100) == "short"


def test_a_line_is_one_line() -> None:
    assert text.line("  first \nsecond") == "first"
    assert text.line("\n\n") == ""
    assert text.line("x" * 50, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        (5.9, 5),
        (-1, 0),
        (True, 0),
        ("5", 0),
        (None, 0),
        (float("nan"), 0),
        (float("inf"), 100),
        (10**30, 100),
    ],
)
def test_numbers_are_bounded(value: object, number: int) -> None:
    assert text.number(value, most=100) == number


@given(VALUES)
def test_bounded_values_are_small_json(value: Any) -> None:
    bounded = text.bounded({"value": value}, string=50, total=500)
    encoded = json.dumps(bounded, allow_nan=False, ensure_ascii=False).encode()
    assert len(encoded) < 20_000


def test_depth_is_bounded() -> None:
    deep: Any = "end"
    for _ in range(500):
        deep = {"deeper": deep}
    assert "…" in json.dumps(text.bounded(deep, string=50, total=500), ensure_ascii=False)


def test_values_keep_their_shape() -> None:
    given_value = {"a": [1, 2.5, None, True, {"b": "c"}]}
    assert text.bounded(given_value, string=50, total=500) == given_value
