"""What `/readyz` reports beside database and Redis: named looks, which the apps register."""

from __future__ import annotations

from collections.abc import Callable

_looks: dict[str, Callable[[], str]] = {}


def register(name: str, look: Callable[[], str]) -> None:
    """`look` answers `ok` or what is wrong, in a few words that anybody may read, and at once."""
    _looks[name] = look


def report() -> dict[str, str]:
    """Every look's answer, by name."""
    return {name: look() for name, look in _looks.items()}
