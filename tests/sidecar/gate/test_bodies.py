"""What the body of a call becomes, and what is none."""

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
    asked = json.loads(bodies.checked(json.dumps(body).encode(), asks_for_usage=True))
    assert asked == {**body, "stream_options": {"include_usage": True}}


def test_other_options_stay() -> None:
    given = b'{"stream": true, "stream_options": {"include_obfuscation": false}}'
    options = json.loads(bodies.checked(given, asks_for_usage=True))["stream_options"]
    assert options == {"include_obfuscation": False, "include_usage": True}


@pytest.mark.parametrize("asks_for_usage", [True, False])
@pytest.mark.parametrize("raw", [b'{"model":"m"}', b'{"stream":false}', b'{"stream":null,"a":[1, 2]}'])
def test_what_is_no_stream_stays_as_it_is(raw: bytes, asks_for_usage: bool) -> None:
    assert bodies.checked(raw, asks_for_usage=asks_for_usage) == raw


def test_a_stream_that_tells_its_usage_unasked_stays_as_it_is() -> None:
    raw = b'{"stream":true,"stream_options":7}'
    assert bodies.checked(raw, asks_for_usage=False) == raw


@pytest.mark.parametrize(
    "name",
    [
        *("api_base", "base_url", "apiBase", "API-KEY", "baseURL", "extra_headers", "proxy", "fallbacks"),
        *("model_list", "custom_llm_provider", "user_config", "litellm_params", "aws_sts_endpoint"),
        "api\\u005fbase",
    ],
)
def test_what_tells_a_server_in_between_where_to_go_is_left_out(name: str) -> None:
    raw = f'{{"model":"m","{name}":"http://evil.example","messages":[]}}'.encode()
    assert bodies.checked(raw, asks_for_usage=False) == b'{"model":"m","messages":[]}'


def test_nothing_is_answered_later_where_nobody_counts_it() -> None:
    """OpenAI's responses in the background are fetched by another call, which does not pass."""
    raw = b'{"model":"m","background":true,"input":"x"}'
    assert bodies.checked(raw, asks_for_usage=False) == b'{"model":"m","input":"x"}'


def test_of_two_fields_with_one_name_one_passes_the_one_that_we_read() -> None:
    raw = b'{"model":"cheap","stream":false,"model":"dear","\\u006dodel":"dearest"}'
    assert json.loads(bodies.checked(raw, asks_for_usage=True)) == {"model": "dearest", "stream": False}
    assert bodies.checked(raw, asks_for_usage=True).count(b"odel") == 1


@pytest.mark.parametrize("raw", [b"", b"[]", b"7", b"model=m", b"\x1f\x8b\x08", b'{"a":1}{"b":2}'])
@pytest.mark.parametrize("asks_for_usage", [True, False])
def test_what_is_no_object_is_refused(raw: bytes, asks_for_usage: bool) -> None:
    with pytest.raises(BadRequest):
        bodies.checked(raw, asks_for_usage=asks_for_usage)


def test_of_two_that_say_how_to_stream_the_last_counts_here_and_there() -> None:
    given = b'{"stream": true, "stream_options": {"include_usage": true}, "stream_options": {}}'
    assert bodies.checked(given, asks_for_usage=True).count(b"stream_options") == 1


def test_more_values_than_anybody_asks_with_are_refused() -> None:
    raw = b'{"stream": true, "messages": [' + b"[]," * bodies.MAX_VALUES + b"[]]}"
    with pytest.raises(BadRequest) as refused:
        bodies.checked(raw, asks_for_usage=True)
    assert refused.value.status == 413


@pytest.mark.parametrize("options", [b'"\xff"', b"[" * 100_000 + b"]" * 100_000])
def test_options_that_make_no_sense_are_refused(options: bytes) -> None:
    with pytest.raises(BadRequest):
        bodies.checked(b'{"stream": true, "stream_options": ' + options + b"}", asks_for_usage=True)
