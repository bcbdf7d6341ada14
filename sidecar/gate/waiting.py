"""When a provider that refused for now wants to be asked again, out of the many ways they have to say so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_MAX_WAIT = timedelta(days=31)
_PATIENCE = timedelta(minutes=5)
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_RESETS = (
    "anthropic-ratelimit-unified-reset",
    "x-ratelimit-reset",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-reset",
)


def retry_at(headers: Mapping[str, str], told: float | None, *, now: datetime) -> str:
    """When the provider wants to be asked again (RFC 3339), empty when it does not say or says nonsense.

    `told` is a number of seconds that its error's body names.
    """
    moment = _retry_after(headers, now) or _later(now, told)
    if moment is None:
        resets = [_reset(headers.get(name, ""), now) for name in _RESETS]
        # Only the limit that was hit has something to wait for; the later one is the safe guess.
        moment = max((reset for reset in resets if reset is not None and reset > now), default=None)
    if moment is None or not now - timedelta(minutes=1) <= moment <= now + _MAX_WAIT:
        return ""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_far(moment: str, *, now: datetime) -> bool:
    """Whether a time that `retry_at` gave is further off than an agent should wait with its turn open."""
    return bool(moment) and datetime.fromisoformat(moment) - now > _PATIENCE


def _retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    value = headers.get("retry-after", "").strip()
    milliseconds, seconds = _number(headers.get("retry-after-ms", "")), _number(value)
    if milliseconds is not None:
        return _later(now, milliseconds / 1000)
    if seconds is not None:
        return _later(now, seconds)
    try:
        return _aware(parsedate_to_datetime(value))
    except (TypeError, ValueError):
        return None


def _reset(value: str, now: datetime) -> datetime | None:
    """A point in time as rate limit headers give it: a duration, an RFC 3339 time, or a count since 1970."""
    number = _number(value)
    if number is not None and number > 1e9:
        return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
    seconds = duration(value) if number is None else number
    if seconds is not None:
        return _later(now, seconds)
    try:
        return _aware(datetime.fromisoformat(value))
    except ValueError:
        return None


def duration(value: object) -> float | None:
    """Seconds of a duration such as `6m0s`, `20ms` or `32.5s`."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) and 0 < len(value) < 40 else None
    if match is None:
        return None
    hours, minutes, seconds, milliseconds = (float(group or 0) for group in match.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _later(now: datetime, seconds: float | None) -> datetime | None:
    if seconds is None or seconds > _MAX_WAIT.total_seconds():
        return None
    return now + timedelta(seconds=seconds)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(value: str) -> float | None:
    return float(value) if re.fullmatch(r"\d{1,13}(\.\d{1,6})?", value) else None
