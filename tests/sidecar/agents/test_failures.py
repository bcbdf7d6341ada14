"""Failures say what to do and nothing that may be secret."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.agents import failures
from sidecar.protocol.messages import ErrorClass


@pytest.mark.parametrize("error_class", get_args(ErrorClass))
def test_every_class_has_words(error_class: ErrorClass) -> None:
    failure = failures.failure(error_class)
    assert failure.error_class == error_class
    assert failure.message.endswith(".")


@pytest.mark.parametrize(
    "said",
    [
        "see https://api.example.com/v1/messages?key=abc for more",
        "Incorrect API key provided: sk-proj-abcdefghijklmnop",
        "Bearer abc.def is wrong",
        "AIzaSyA1234567890abcdefghij is not valid",
        "<html><body><script>alert(1)</script></body></html>",
        "0123456789abcdef0123456789abcdef0123456789abcdef",
    ],
)
def test_what_may_be_secret_or_harmful_is_left_out(said: str) -> None:
    shown = failures.sanitised(said)
    for word in ("api.example.com", "abcdefghijklmnop", "abc.def", "AIzaSy", "<", "0123456789abcdef"):
        assert word not in shown


def test_harmless_words_stay() -> None:
    said = "Incorrect API key provided. (Scripted by the demo model.)"
    assert failures.sanitised(said) == said


@given(st.text(st.characters(exclude_categories=[])))
def test_any_words_become_one_short_line(said: str) -> None:
    shown = failures.sanitised(said)
    assert len(shown) <= failures.MAX_DETAIL
    assert shown.isprintable()
    shown.encode()


def test_a_long_line_costs_no_long_time() -> None:
    failures.sanitised("<" * 5_000_000)
    failures.sanitised("a://" * 1_000_000)


@pytest.mark.parametrize("value", [0, -1, None, "soon", float("nan")])
def test_no_time_is_no_timestamp(value: object) -> None:
    assert failures.timestamp(value) == ""


def test_times_are_rfc_3339() -> None:
    assert failures.timestamp(1_795_366_396_390) == "2026-11-22T16:53:16.390Z"
    assert failures.timestamp(1e300).startswith("9999-12-31T")
