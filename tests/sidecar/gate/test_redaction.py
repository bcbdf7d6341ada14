"""A secret is taken out wherever it stands and however the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate.redaction import STAND_IN, Redactor

SECRET = "abcabd"


@given(
    st.lists(st.sampled_from(["abcabd", "abc", "ab", "a", "abd", "x", "abcab", "cabd"]), max_size=30),
    st.data(),
)
def test_nothing_of_the_secret_passes(words: list[str], data: st.DataObject) -> None:
    text = "".join(words).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    places = [0, *cuts, len(text)]
    redactor = Redactor(SECRET)
    pieces = [redactor.feed(text[start:end]) for start, end in pairwise(places)]
    passed = b"".join(pieces) + redactor.finish()
    assert SECRET.encode() not in passed
    assert passed == text.replace(SECRET.encode(), STAND_IN)


def test_what_cannot_be_the_secret_passes_at_once() -> None:
    redactor = Redactor("sk-secret")
    assert redactor.feed(b"data: hello\n\n") == b"data: hello\n\n"
    assert redactor.feed(b"this ends in sk") == b"this ends in "
    assert redactor.feed(b"ill") == b"skill"


def test_without_a_secret_everything_passes() -> None:
    redactor = Redactor("")
    assert redactor.feed(b"anything") + redactor.finish() == b"anything"
