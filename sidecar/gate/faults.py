"""What a provider's failure means: its class, and words that say what to do.

The provider's own words are quoted, but cleaned: no key, no address, no markup, one line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from re import Pattern
from typing import Any

import msgspec

from sidecar import quoting
from sidecar.gate import waiting
from sidecar.gate.redaction import Redactor
from sidecar.protocol.messages import ErrorClass, ErrorData

MAX_MESSAGE = 4000
MAX_QUOTE = 300

_ADVICE: dict[ErrorClass, str] = {
    "provider_auth": "{name} does not accept the key. Replace it under Keys.",
    "provider_quota": "{name} says that this account has no quota or credit left. See its billing page.",
    "provider_rate_limit": "{name} asks to slow down.",
    "provider_unavailable": "{name} is not available at the moment. Try again in a while.",
    "provider_bad_response": "The answer of {name} cannot be used.",
    "unknown_model": "{name} does not know this model, or the key may not use it. Choose another one.",
    "context_too_long": "The conversation is longer than this model can take. Start a new session.",
}


@dataclass(frozen=True)
class Said:
    """The machine-readable parts of a provider's error, whatever its shape, and its message."""

    codes: frozenset[str]
    message: str
    status: int = 0
    retry_seconds: float | None = None


def classify(name: str, status: int, said: Said, *, retry_at: str = "", secret: str = "") -> ErrorData:
    """The failure of provider `name` that answered `status` (0: an error in the midst of an answer)."""
    error_class = _class_of(status or said.status, said)
    advice = _ADVICE[error_class].format(name=name)
    quote = clean(said.message, secret=secret)
    shown = f" ({status})" if status else ""
    message = (
        f"{advice} It said{shown}: {quote}"
        if quote
        else advice + (f" Its status was {status}." if status else "")
    )
    limited = error_class in ("provider_rate_limit", "provider_unavailable", "provider_quota")
    return ErrorData(error_class=error_class, message=message, retry_at=retry_at if limited else "")


def failure(error_class: ErrorClass, message: str) -> ErrorData:
    """A failure that was noticed here, in our own words."""
    return ErrorData(error_class=error_class, message=message)


def _words(*alternatives: str) -> Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


_WORDS: tuple[tuple[Pattern[str], ErrorClass], ...] = (
    (
        _words(
            r"prompt is too long",
            r"context[ _](length|window|limit)|maximum context",
            r"maximum (prompt|input) length|input token count|too many (input )?tokens",
            r"reduce the length of the (messages|input|prompt)",
        ),
        "context_too_long",
    ),
    (
        _words(r"credit balance|insufficient (balance|credit|quota|funds)|billing hard limit"),
        "provider_quota",
    ),
    (
        _words(r"api[ _-]?key\b.{0,40}\b(not valid|invalid|incorrect|expired)|invalid api[ _-]?key"),
        "provider_auth",
    ),
    (
        _words(
            r"model\b.{0,120}?\b(not found|does not exist|not supported|not available|not a valid)",
            r"(unknown|invalid|no such|unsupported) model|not a valid model",
        ),
        "unknown_model",
    ),
)
"""What providers say that have no code for it, or the wrong status."""

_CODES: dict[str, ErrorClass] = {
    "api_key_invalid": "provider_auth",
    "authentication_error": "provider_auth",
    "billing_error": "provider_quota",
    "billing_hard_limit_reached": "provider_quota",
    "context_length_exceeded": "context_too_long",
    "insufficient_quota": "provider_quota",
    "usage_not_included": "provider_quota",
    "invalid_api_key": "provider_auth",
    "model_not_found": "unknown_model",
    "overloaded_error": "provider_unavailable",
    "rate_limit_error": "provider_rate_limit",
    "rate_limit_exceeded": "provider_rate_limit",
    "resource_exhausted": "provider_rate_limit",
    "string_above_max_length": "context_too_long",
    "usage_limit_reached": "provider_rate_limit",
}


_STATUSES: dict[int, ErrorClass] = {
    401: "provider_auth",
    402: "provider_quota",
    403: "provider_auth",
    404: "unknown_model",
    408: "provider_unavailable",
    413: "context_too_long",
    425: "provider_unavailable",
    429: "provider_rate_limit",
}


_PLAIN = (401, 402, 413)
"""Statuses that mean one thing only, whatever code stands beside them."""


def _class_of(status: int, said: Said) -> ErrorClass:
    """By a plain status, by code, else by what the words say where the status says little, else by status."""
    if status in _PLAIN:
        return _STATUSES[status]
    for code in sorted(said.codes):
        if code in _CODES:
            return _CODES[code]
    if status in (0, 400, 404, 422, 429):
        for pattern, error_class in _WORDS:
            if pattern.search(said.message):
                return error_class
    if status == 0 or status >= 500:
        return "provider_unavailable"
    return _STATUSES.get(status, "provider_bad_response")


_FINAL: dict[tuple[int, ErrorClass], int] = {(404, "unknown_model"): 400, (429, "provider_quota"): 402}


def no_use_in_waiting(name: str, error: ErrorData) -> tuple[int, ErrorData]:
    """What an agent is told of a limit that lasts longer than a turn should: it asks not again.

    By status, code and words: some look for the word limit in any of them.
    """
    message = f"{name} takes no more calls of this account until {error.retry_at}."
    return 402, failure("provider_quota", message)


def status_for_agent(status: int, error_class: ErrorClass) -> int:
    """The status for the box: with OpenAI's API agents repeat a 404 and a 429 for minutes, also in vain."""
    return _FINAL.get((status, error_class), status)


def said_in(body: bytes) -> Said | None:
    """What an error's body says, None when it is not JSON."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    if isinstance(decoded, list):
        decoded = decoded[0] if decoded else {}
    if not isinstance(decoded, dict):
        return Said(frozenset(), "")
    return said_by(decoded)


def said_by(values: Mapping[str, Any]) -> Said:
    """What an error's JSON says; `values` is the whole body or the error within it."""
    inner = values.get("error")
    error: Mapping[str, Any] = inner if isinstance(inner, dict) else values
    texts = (error.get("message"), inner, error.get("detail"), values.get("message"))
    message = next((text for text in texts if isinstance(text, str)), "")
    codes = [error.get(key) for key in ("code", "type", "status")]
    details, retry_seconds = error.get("details"), None
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict):
            codes.append(detail.get("reason"))
            retry_seconds = waiting.duration(detail.get("retryDelay")) or retry_seconds
    seconds = error.get("resets_in_seconds")  # Of a ChatGPT plan.
    if isinstance(seconds, int | float) and seconds > 0:
        retry_seconds = float(seconds)
    number = error.get("code")
    return Said(
        codes=frozenset(code.lower() for code in codes if isinstance(code, str)),
        message=message[:MAX_MESSAGE],
        status=number if type(number) is int and 400 <= number < 600 else 0,
        retry_seconds=retry_seconds,
    )


def clean(text: str, *, secret: str = "") -> str:
    """One line of `text`, fit to be shown: without `secret`, anything like a key, addresses, markup."""
    text = text[:MAX_MESSAGE]
    text = Redactor(secret).cleaned(text)
    text = quoting.harmless(text)
    return text if len(text) <= MAX_QUOTE else text[: MAX_QUOTE - 1] + "…"
