"""Request bodies: JSON of a limited size and depth."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rest_framework.exceptions import ParseError

from openagent.lib.json_body import JSONParser


def parse(body: bytes) -> Any:
    return JSONParser().parse(io.BytesIO(body))


def test_json_is_read() -> None:
    assert parse(b'{"text": "\\ud83d\\ude00 \xc3\xa9", "n": [1, null]}') == {"text": "😀 é", "n": [1, None]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b'"\xff"',
        b'"\\ud800"',
        b'{"\\uDFFF": 1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 50_000 + b"]" * 50_000,
        b"9" * 10_000,
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse(body)
