"""Strings and values from an agent made fit to store: valid Unicode, bounded length, bounded depth.

Lengths count Unicode code points.
"""

from __future__ import annotations

import re
from typing import Any

CUT = re.compile(r"(?:\n… \[\d+ more characters\]|…)\Z")
"""What stands at the end of a text that was cut here."""

MAX_DEPTH = 6
MAX_ITEMS = 64
MAX_KEY_CHARACTERS = 128

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clean(value: object) -> str:
    """`value` if it is a string, else nothing; pairs of surrogates are joined, lone ones and NUL replaced."""
    if not isinstance(value, str):
        return ""
    if not value.isascii():
        value = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value.replace("\0", _REPLACEMENT)


def clip(value: object, limit: int) -> str:
    """Clean text of at most `limit` characters; what was cut off is counted in words at its end."""
    text = clean(value)
    if len(text) <= limit:
        return text
    note = f"\n… [{len(text) - limit} more characters]"
    return text[: limit - len(note)] + note if limit > len(note) else text[:limit]


def line(value: object, limit: int = 200) -> str:
    """The first line of what `value` says, clean, without the space around it, at most `limit` characters."""
    stripped = clean(value).strip()
    first = stripped.splitlines()[0].rstrip() if stripped else ""
    return first if len(first) <= limit else first[: limit - 1] + "…"


def number(value: object, *, most: int = 2**53 - 1) -> int:
    """A whole number from nothing to `most`; anything else is nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(min(max(value, 0), most)) if value == value else 0


def mapping(value: object) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object, limit: int = MAX_ITEMS) -> list[Any]:
    """The first `limit` elements of `value` if it is a list, else none."""
    return value[:limit] if isinstance(value, list) else []


def bounded(value: object, *, string: int, total: int) -> dict[str, Any]:
    """An object with every string cut to `string` characters and about `total` characters in all."""
    return _Bounded(string, total).mapping(mapping(value), 0)


class _Bounded:
    def __init__(self, string: int, total: int) -> None:
        self._string = string
        self._left = total

    def mapping(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, element in list(value.items())[:MAX_ITEMS]:
            if self._left <= 0:
                break
            name = clip(key, MAX_KEY_CHARACTERS)
            self._left -= len(name)
            result[name] = self._value(element, depth + 1)
        return result

    def _value(self, value: object, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            self._left -= 8
            return value if abs(value) < 2**53 else 0  # NaN compares false as well, and JSON has no infinity.
        if isinstance(value, str):
            text = clip(value, min(self._string, max(self._left, 0)))
            self._left -= len(text)
            return text
        if depth >= MAX_DEPTH:
            return "…"
        if isinstance(value, dict):
            return self.mapping(value, depth)
        return [self._value(element, depth + 1) for element in items(value) if self._left > 0]
