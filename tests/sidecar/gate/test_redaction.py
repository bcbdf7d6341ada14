"""A secret is taken out wherever it stands and however the bytes are cut."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from itertools import pairwise
from urllib.parse import quote

import pytest
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


SLASHED = "sk-a/b+c<d&e=f?g%h"
FORMS = {
    "plain": SLASHED,
    "JSON with slashes": SLASHED.replace("/", "\\/"),
    "JSON for HTML": SLASHED.replace("/", "\\u002f")
    .replace("+", "\\u002b")
    .replace("<", "\\u003c")
    .replace("&", "\\u0026")
    .replace("=", "\\u003d"),
    "URL": quote(SLASHED, safe=""),
    "hex": SLASHED.encode().hex(),
    "HEX": SLASHED.encode().hex().upper(),
    **{f"base64 after {n}": b64encode(b"x" * n + SLASHED.encode() + b"!").decode() for n in range(3)},
    **{f"URL base64 after {n}": urlsafe_b64encode(b"x" * n + SLASHED.encode()).decode() for n in range(3)},
}


@pytest.mark.parametrize("name", FORMS)
def test_other_forms_of_the_secret_do_not_pass_either_however_they_are_cut(name: str) -> None:
    text = f"it is {FORMS[name]} indeed\n".encode()
    for size in (1, 2, 7, len(text)):
        redactor = Redactor(SLASHED)
        pieces = [redactor.feed(text[start : start + size]) for start in range(0, len(text), size)]
        passed = b"".join(pieces) + redactor.finish()
        assert passed.startswith(b"it is ") and passed.endswith(b" indeed\n") and STAND_IN in passed
        assert FORMS[name][5:-5].encode() not in passed


def test_what_cannot_be_the_secret_passes_at_once() -> None:
    redactor = Redactor("sk-secret")
    assert redactor.feed(b"data: hello\n\n") == b"data: hello\n\n"
    assert redactor.feed(b"this ends in sk") == b"this ends in "
    assert redactor.feed(b"ill") == b"skill"


def test_without_a_secret_everything_passes() -> None:
    redactor = Redactor("")
    assert redactor.feed(b"anything") + redactor.finish() == b"anything"
