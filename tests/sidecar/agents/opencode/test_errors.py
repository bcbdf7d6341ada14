"""OpenCode's errors by class, without what they carry."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.agents.opencode import errors


def api_error(status: int, message: str = "It failed.", body: str = "") -> dict[str, Any]:
    data = {
        "message": message,
        "statusCode": status,
        "isRetryable": False,
        "responseHeaders": {"x-secret": "header-secret"},
        "responseBody": body,
        "metadata": {"url": "http://127.0.0.1:7001/openai/v1/responses"},
    }
    return {"name": "APIError", "data": data}


@pytest.mark.parametrize(
    ("error", "error_class"),
    [
        (api_error(401), "provider_auth"),
        (api_error(403), "provider_auth"),
        (api_error(402), "provider_quota"),
        (api_error(429), "provider_rate_limit"),
        (api_error(429, body='{"error": {"code": "insufficient_quota"}}'), "provider_quota"),
        (api_error(404, "The model does not exist"), "unknown_model"),
        (api_error(400, "maximum context length is 128000 tokens"), "context_too_long"),
        (api_error(500), "provider_unavailable"),
        (api_error(503), "provider_unavailable"),
        (api_error(0, "fetch failed"), "provider_unavailable"),
        (api_error(418), "provider_bad_response"),
        (api_error(503, body='{"error": {"code": "key_missing"}}'), "key_missing"),
        ({"name": "ContextOverflowError", "data": {"message": "x"}}, "context_too_long"),
        ({"name": "ProviderAuthError", "data": {"message": "x"}}, "provider_auth"),
        ({"name": "UnknownError", "data": {"message": "Model not found: demo/nope."}}, "unknown_model"),
        (
            {"name": "UnknownError", "data": {"message": "JSON parsing failed: Text: {"}},
            "provider_bad_response",
        ),
        ({"name": "UnknownError", "data": {"message": "ENOSPC: no space left on device"}}, "disk_full"),
        ({"name": "UnknownError", "data": {"message": "SSE read timed out"}}, "provider_unavailable"),
        ({"name": "UnknownError", "data": {"message": "Connection reset by server"}}, "provider_unavailable"),
        ({"name": "SomethingNew", "data": {"message": "hm"}}, "internal"),
        ({"name": ["list"], "data": "text"}, "internal"),
        ("not even an object", "internal"),
        (None, "internal"),
    ],
)
def test_classes(error: Any, error_class: str) -> None:
    assert errors.classified(error).error_class == error_class


def test_headers_bodies_addresses_and_stacks_are_left_out() -> None:
    error = api_error(
        401, "bad key at https://api.example.com/x\n    at stack (/bunfs/chunk.js)", "body-secret"
    )
    message = errors.classified(error).message
    for secret in ("header-secret", "body-secret", "127.0.0.1", "example.com", "bunfs"):
        assert secret not in message
    assert "bad key at" in message


@pytest.mark.parametrize(
    "body", ["[" * 100_000, "{", "null", "[1]", '{"error": 5}', '{"error": {"code": []}}']
)
def test_any_body_will_do(body: str) -> None:
    assert errors.classified(api_error(500, body=body)).error_class == "provider_unavailable"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Rate limit reached", "limits"),
        ("Connection reset by server", "cannot be reached"),
        (7, "cannot be reached"),
    ],
)
def test_the_reason_of_a_retry(message: object, words: str) -> None:
    assert words in errors.retry({"message": message}).message
