"""Nothing like a key is quoted, whoever said it: agents and the gate quote in the same way."""

from __future__ import annotations

import pytest

from sidecar import quoting
from sidecar.agents import failures
from sidecar.gate import faults

KEYS = [
    "sk-abcdef123456",
    "sk-proj-****************4321",
    "pk_live_abc123",
    "rk-abc123def",
    "gsk_abc123def",
    "xai-abc123def",
    "ghp_abc123def",
    "ghs_abc123def",
    "github_pat_abc123",
    "glpat-abc123def",
    "hf_abc123def",
    "AIzaSyA1234567",
    "Bearer abc/123+def==",
    "abc1*****def",
    "******def1",
    "0123456789abcdef0123456789abcdef",
]


@pytest.mark.parametrize("key", KEYS)
def test_nothing_like_a_key_is_quoted(key: str) -> None:
    said = f"the key {key} is wrong"
    assert failures.sanitised(said) == faults.clean(said) == "the key [hidden] is wrong"


@pytest.mark.parametrize(
    "said",
    [
        "it was skipped, or sketched",
        "set sk- to what the page says",
        "*** buffer overflow detected ***: terminated",
    ],
)
def test_words_that_only_begin_like_one_stay(said: str) -> None:
    assert quoting.harmless(said) == said


def test_of_markup_only_the_words_are_quoted() -> None:
    assert quoting.harmless('see\n<a href="https://acme.example">the page</a>') == "see the page"
