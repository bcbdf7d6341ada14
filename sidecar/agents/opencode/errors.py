"""OpenCode's errors as failures of ours, by class, with nothing of headers, addresses or bodies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from sidecar.agents import text
from sidecar.agents.failures import by_words, failure, timestamp
from sidecar.gate import faults
from sidecar.protocol.messages import AgentStatus, ErrorClass, ErrorData

MAX_BODY = 4000

ABORTED = "MessageAbortedError"
TOO_LONG = "MessageOutputLengthError"
FILTERED = "ContentFilterError"

_BY_NAME: dict[str, ErrorClass] = {
    "ContextOverflowError": "context_too_long",
    "ProviderAuthError": "provider_auth",
    "ProviderModelNotFoundError": "unknown_model",
    "StructuredOutputError": "provider_bad_response",
}


def classified(error: object) -> ErrorData:
    """The failure that `error` (`{"name", "data"}`) stands for."""
    given = text.mapping(error)
    data = text.mapping(given.get("data"))
    said = text.line(data.get("message"), 2000)
    name = text.line(given.get("name"))
    if name == "APIError":
        return _api_error(data, said)
    error_class = _BY_NAME.get(name) or by_words(text.clip(data.get("message"), MAX_BODY))
    return failure(error_class, said)


def retry(status: Mapping[str, Any]) -> ErrorData:
    """The failure for which OpenCode tries again later."""
    message = text.line(status.get("message"), 2000)
    return failure(by_words(message, "provider_unavailable"), message)


def retrying(status: Mapping[str, Any]) -> AgentStatus:
    """That OpenCode tries again later."""
    return AgentStatus(
        status="retrying",
        message=retry(status).message,
        attempt=text.number(status.get("attempt"), most=1000),
        retry_at=timestamp(status.get("next")),
    )


def is_abort(error: object) -> bool:
    """Whether somebody wanted the end."""
    return text.mapping(error).get("name") == ABORTED


def _api_error(data: Mapping[str, Any], said: str) -> ErrorData:
    body = text.clean(data.get("responseBody"))[:MAX_BODY]
    status = text.number(data.get("statusCode"), most=999)
    if (error_class := _named_by_gate(body)) is not None:
        return failure(error_class, said)
    if status == 0:
        return failure(by_words(said, "provider_unavailable"), said)
    # The same judgement as the gate's, so that the log and the usage page tell one story.
    described = faults.said_in(body.encode()) or faults.Said(frozenset(), said)
    return failure(faults.classify("", status, described).error_class, said)


def refusal(status: int) -> ErrorData:
    """It did not take a prompt."""
    return failure("internal", f"OpenCode refused the prompt with status {status}.")


def _named_by_gate(body: str) -> ErrorClass | None:
    """The class that the gate gave to a failure of its own: `{"error": {"code": ...}}`."""
    try:
        code = text.mapping(text.mapping(json.loads(body)).get("error")).get("code")
    except (ValueError, RecursionError):
        return None
    known: tuple[ErrorClass, ...] = get_args(ErrorClass)
    return next((name for name in known if name == code), None)
