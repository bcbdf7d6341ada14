"""Providers' errors, as they really word them, and the class each belongs to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate import faults
from sidecar.protocol.messages import ErrorClass

KEY = "sk-proj-4f3c2b1a0987654321"


def openai(message: str, kind: str = "invalid_request_error", code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def anthropic(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def google(code: int, status: str, message: str, **detail: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": [detail]}}


ERRORS: list[tuple[int, Any, ErrorClass]] = [
    (401, openai("Incorrect API key provided: sk-pr***21.", code="invalid_api_key"), "provider_auth"),
    (403, openai("Country, region, or territory not supported", code="unsupported_country"), "provider_auth"),
    (
        429,
        openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota"),
        "provider_quota",
    ),
    (429, openai("Rate limit reached for gpt-5", "requests", "rate_limit_exceeded"), "provider_rate_limit"),
    (404, openai("The model `gpt-9` does not exist", code="model_not_found"), "unknown_model"),
    (400, openai("too long", code="context_length_exceeded"), "context_too_long"),
    (
        400,
        openai("Unsupported parameter: 'max_tokens'", code="unsupported_parameter"),
        "provider_bad_response",
    ),
    (500, openai("The server had an error", "server_error"), "provider_unavailable"),
    (401, anthropic("authentication_error", "invalid x-api-key"), "provider_auth"),
    (
        400,
        anthropic("invalid_request_error", "prompt is too long: 208310 tokens > 200000"),
        "context_too_long",
    ),
    (400, anthropic("invalid_request_error", "Your credit balance is too low to access"), "provider_quota"),
    (413, anthropic("request_too_large", "Request exceeds the maximum size"), "context_too_long"),
    (404, anthropic("not_found_error", "model: claude-9"), "unknown_model"),
    (429, anthropic("rate_limit_error", "would exceed your rate limit"), "provider_rate_limit"),
    (529, anthropic("overloaded_error", "Overloaded"), "provider_unavailable"),
    (0, anthropic("overloaded_error", "Overloaded")["error"], "provider_unavailable"),
    (400, google(400, "INVALID_ARGUMENT", "API key not valid.", reason="API_KEY_INVALID"), "provider_auth"),
    (400, google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."), "provider_auth"),
    (400, google(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the"), "context_too_long"),
    (403, google(403, "PERMISSION_DENIED", "denied"), "provider_auth"),
    (404, google(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta"), "unknown_model"),
    (429, google(429, "RESOURCE_EXHAUSTED", "quota", retryDelay="32s"), "provider_rate_limit"),
    (503, [google(503, "UNAVAILABLE", "The model is overloaded.")], "provider_unavailable"),
    (402, {"error": {"message": "Insufficient credits", "code": 402}}, "provider_quota"),
    (400, {"error": {"message": "foo/bar is not a valid model ID", "code": 400}}, "unknown_model"),
    (0, {"message": "Provider returned error", "code": 429}, "provider_rate_limit"),
    (402, {"error": {"message": "Insufficient Balance", "type": "unknown_error"}}, "provider_quota"),
    (413, openai("Request too large for model", "tokens", "rate_limit_exceeded"), "context_too_long"),
    (
        400,
        openai("Please reduce the length of the messages", code="context_length_exceeded"),
        "context_too_long",
    ),
    (401, {"message": "Unauthorized", "request_id": "1"}, "provider_auth"),
    (400, {"object": "error", "message": "Invalid model: mist", "type": "invalid_model"}, "unknown_model"),
    (422, {"detail": [{"loc": ["body"], "msg": "Extra inputs are not permitted"}]}, "provider_bad_response"),
    (
        400,
        {"code": "Client specified an invalid argument", "error": "Incorrect API key"},
        "provider_bad_response",
    ),
    (404, {"code": "Some requested entity was not found", "error": "The model grok-9"}, "unknown_model"),
    (408, {}, "provider_unavailable"),
    (418, {}, "provider_bad_response"),
]


@pytest.mark.parametrize(("status", "body", "error_class"), ERRORS)
def test_an_error_has_its_class(status: int, body: Any, error_class: ErrorClass) -> None:
    said = faults.said_in(json.dumps(body).encode())
    assert said is not None
    error = faults.classify("Acme", status, said)
    assert error.error_class == error_class
    assert error.message.startswith(("Acme", "The answer of Acme", "The conversation"))


def test_the_providers_words_are_quoted_with_the_status() -> None:
    said = faults.said_in(json.dumps(openai("Unsupported parameter: 'max_tokens'")).encode())
    assert said is not None
    error = faults.classify("Acme", 400, said)
    assert error.message.endswith("It said (400): Unsupported parameter: 'max_tokens'")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"Incorrect API key: {KEY}", "Incorrect API key: [hidden]"),
        ("Incorrect API key: sk-proj-****************4321", "Incorrect API key: [hidden]"),
        ("see https://acme.example/keys?k=1 for more", "see [address] for more"),
        ("<html><b>Bad</b>\n\n gateway</html>", "Bad gateway"),
        ("a\x1b[31mred\x07\u202eb", "a [31mred b"),
        ("x" * 20 + " " + "word " * 200, None),
    ],
)
def test_what_is_quoted_is_fit_to_be_shown(said: str, shown: str | None) -> None:
    quoted = faults.clean(said, secret=KEY)
    assert len(quoted) <= faults.MAX_QUOTE
    assert shown is None or quoted == shown


@given(st.text(max_size=400))
def test_nothing_that_is_quoted_breaks_a_line_or_holds_the_key(text: str) -> None:
    quoted = faults.clean(text + KEY + text, secret=KEY)
    assert KEY not in quoted
    assert quoted.isprintable()


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "type", "details", "retryDelay"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@given(_json, st.integers(0, 600))
def test_no_body_breaks_the_reading(value: object, status: int) -> None:
    said = faults.said_in(json.dumps(value).encode())
    assert said is not None
    faults.classify("Acme", status, said)


@pytest.mark.parametrize("body", [b"", b"Bad gateway", b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_json_says_nothing(body: bytes) -> None:
    assert faults.said_in(body) is None
