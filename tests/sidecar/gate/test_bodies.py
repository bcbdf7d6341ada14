"""What a chat completion's body becomes, and what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sidecar.gate import bodies
from sidecar.http1 import BadRequest


@pytest.mark.parametrize(
    "options", [{}, {"stream_options": None}, {"stream_options": {"include_usage": False}}]
)
def test_a_stream_is_asked_for_its_usage(options: dict[str, Any]) -> None:
    body = {"model": "m", "stream": True, "messages": [{"content": "é [1, 2]"}], **options}
    asked = json.loads(bodies.with_usage(json.dumps(body).encode()))
    assert asked == {**body, "stream_options": {"include_usage": True}}


def test_other_options_stay() -> None:
    given = b'{"stream": true, "stream_options": {"include_obfuscation": false}}'
    options = json.loads(bodies.with_usage(given))["stream_options"]
    assert options == {"include_obfuscation": False, "include_usage": True}


@pytest.mark.parametrize("raw", [b'{"model": "m"}', b'{"stream": false}', b'{"stream": null, "a": [1]}'])
def test_what_is_no_stream_stays_as_it_is(raw: bytes) -> None:
    assert bodies.with_usage(raw) == raw


def test_of_two_that_say_how_to_stream_the_last_counts_here_and_there() -> None:
    given = b'{"stream": true, "stream_options": {"include_usage": true}, "stream_options": {}}'
    assert bodies.with_usage(given).count(b"stream_options") == 1


def test_more_values_than_anybody_asks_with_are_refused() -> None:
    raw = b'{"stream": true, "messages": [' + b"[]," * bodies.MAX_VALUES + b"[]]}"
    with pytest.raises(BadRequest) as refused:
        bodies.with_usage(raw)
    assert refused.value.status == 413


@pytest.mark.parametrize("options", [b'"\xff"', b"[" * 100_000 + b"]" * 100_000])
def test_options_that_make_no_sense_are_refused(options: bytes) -> None:
    with pytest.raises(BadRequest):
        bodies.with_usage(b'{"stream": true, "stream_options": ' + options + b"}")
