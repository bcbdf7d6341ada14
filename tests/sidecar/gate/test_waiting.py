"""When to come back, in all the ways that providers say it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate import waiting

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "told", "expected"),
    [
        ({"retry-after": "7"}, None, "2026-11-22T10:00:07.000Z"),
        ({"retry-after": "0.5"}, None, "2026-11-22T10:00:00.500Z"),
        ({"retry-after": "0"}, None, "2026-11-22T10:00:00.000Z"),
        ({"retry-after": "Sun, 22 Nov 2026 10:05:00 GMT"}, None, "2026-11-22T10:05:00.000Z"),
        ({"retry-after-ms": "1500", "retry-after": "9"}, None, "2026-11-22T10:00:01.500Z"),
        (
            {"x-ratelimit-reset-requests": "20ms", "x-ratelimit-reset-tokens": "6m0s"},
            None,
            "2026-11-22T10:06:00.000Z",
        ),
        ({"x-ratelimit-reset-tokens": "1h2m3.5s"}, None, "2026-11-22T11:02:03.500Z"),
        ({"x-ratelimit-reset": "1795342860"}, None, "2026-11-22T10:21:00.000Z"),
        ({"x-ratelimit-reset": "1795342860000"}, None, "2026-11-22T10:21:00.000Z"),
        ({"x-ratelimit-reset": "30"}, None, "2026-11-22T10:00:30.000Z"),
        ({"anthropic-ratelimit-tokens-reset": "2026-11-22T10:00:20Z"}, None, "2026-11-22T10:00:20.000Z"),
        ({"anthropic-ratelimit-unified-reset": "1795342860"}, None, "2026-11-22T10:21:00.000Z"),
        ({}, 32.0, "2026-11-22T10:00:32.000Z"),
        ({"retry-after": "5"}, 32.0, "2026-11-22T10:00:05.000Z"),
        ({}, None, ""),
        ({"retry-after": "soon"}, None, ""),
        ({"retry-after": "-5"}, None, ""),
        ({"retry-after": "9999999999999"}, None, ""),
        ({"retry-after": "Sun, 22 Nov 2020 10:05:00 GMT"}, None, ""),
        ({"x-ratelimit-reset": "2020-01-01T00:00:00Z"}, None, ""),
        ({"x-ratelimit-reset": "9" * 13}, None, ""),
    ],
)
def test_the_time_that_a_provider_names(headers: dict[str, str], told: float | None, expected: str) -> None:
    assert waiting.retry_at(headers, told, now=NOW) == expected


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_header_breaks_the_reading(one: str, other: str) -> None:
    waiting.retry_at({"retry-after": one, "x-ratelimit-reset": other, "retry-after-ms": other}, None, now=NOW)
