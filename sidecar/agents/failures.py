"""What went wrong, in words that say what to do: one for each class, and nothing that may be secret."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sidecar import quoting
from sidecar.agents import text
from sidecar.protocol.messages import ErrorClass, ErrorData

MAX_DETAIL = 240

_WORDS: dict[ErrorClass, str] = {
    "provider_auth": "The provider does not accept the key. Replace it under Keys.",
    "budget_exceeded": "A budget of this session is used up.",
    "clone_failed": "The repository could not be cloned. The session goes on without it.",
    "provider_quota": "The provider says that the quota of this account is used up. Check its billing page.",
    "provider_rate_limit": "The provider limits how often it may be asked. Wait, then send the prompt again.",
    "provider_unavailable": "The provider cannot be reached or has a fault. Try again in a while.",
    "provider_bad_response": "The provider's answer made no sense to the agent. Send the prompt again.",
    "key_missing": "There is no key for this provider. Add one under Keys.",
    "unknown_model": "The provider does not know this model. Choose another one.",
    "context_too_long": "The conversation is longer than the model can take. Start a new session.",
    "agent_crash": "The agent ended unexpectedly. The next prompt starts it again, with what was said.",
    "agent_hang": "The agent gave no sign of life and was stopped. Send the prompt again.",
    "box_lost": "The box is gone.",
    "disk_full": "The disk of this session is full. Delete what is not needed.",
    "flood": "The agent sent more than a session may hold.",
    "internal": "The agent failed.",
}

_SIGNS: dict[ErrorClass, str] = {
    "unknown_model": r"model not found|ModelNotFound",
    "provider_rate_limit": r"rate.?limit|too many requests|\b429\b",
    "disk_full": r"ENOSPC|no space left|disk is full|EDQUOT",
    "context_too_long": r"context.{0,20}(?:overflow|exceeded|length)|prompt is too long",
    "provider_bad_response": r"json|parse|validation|unexpected (?:end|token)|no output generated",
    "provider_unavailable": r"timed? ?out|connect|socket|network|fetch failed|terminated|econn|overload",
}
_BY_SIGNS = [(name, re.compile(words, re.IGNORECASE)) for name, words in _SIGNS.items()]


def failure(error_class: ErrorClass, detail: object = "", *, retry_at: str = "") -> ErrorData:
    """The failure as an event's data; `detail` is what the other side said and is never quoted raw."""
    said = sanitised(detail)
    message = f"{_WORDS[error_class]} (It said: {said})" if said else _WORDS[error_class]
    return ErrorData(error_class=error_class, message=message, retry_at=retry_at)


def by_words(said: str, default: ErrorClass = "internal") -> ErrorClass:
    """The class that an error's words hint at."""
    return next((error_class for error_class, words in _BY_SIGNS if words.search(said)), default)


def sanitised(detail: object) -> str:
    """The first line of `detail` without addresses, anything like a key, markup and control characters."""
    # Cut before the patterns run: an endless line must not cost endless time.
    said = quoting.harmless(text.line(detail, 2000))
    return text.line(said, MAX_DETAIL)


def timestamp(milliseconds: object) -> str:
    """RFC 3339 in UTC for a count of milliseconds since 1970, nothing for what is not one."""
    value = text.number(milliseconds, most=253_402_300_799_000)
    if value <= 0:
        return ""
    moment = datetime.fromtimestamp(value / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
