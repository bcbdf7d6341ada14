"""What is known of the host of boxes, for those who may not ask its engine."""

from __future__ import annotations

from django.core.cache import cache

_ISOLATION, _ENGINE = "instances.isolation", "instances.engine"
_FAILURE_SECONDS = 120


def remember(isolation: dict[str, str]) -> None:
    """Somebody has looked."""
    cache.set(_ISOLATION, isolation, timeout=None)
    cache.delete(_ENGINE)


def remember_failure(code: str) -> None:
    """Somebody has tried to look; forgotten when nobody tries any more."""
    cache.set(_ENGINE, code, timeout=_FAILURE_SECONDS)


def isolation() -> dict[str, str]:
    """What held boxes when somebody last looked, by name; empty before that."""
    noted: dict[str, str] = cache.get(_ISOLATION, {})
    return noted


def health() -> str:
    """`ok`, or the code of what was in the way when somebody last tried to look."""
    return str(cache.get(_ENGINE, "ok"))
