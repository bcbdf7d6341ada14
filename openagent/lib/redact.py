"""Keeps secrets out of text: a wrapper that never shows its value, and a filter for everything written.

Three nets, because each has holes: values that we know are live (in all the spellings that encoders give
them), shapes of well-known keys, and headers or fields whose name says that they hold a secret.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

MASK = "***"

# Shorter values would mask ordinary words.
_SHORTEST = 6
_DEEPEST = 8

# Anybody may have a text written, in a request's path, so no pattern may read a text again from each of its
# places: names have few words, and a scheme is short.
_NAMES = (
    r"(?:proxy-|x-)?authorization|(?:[a-z0-9]+[-_]){0,8}api[-_]?key|x-goog-api-key|(?:set-)?cookie|sessionid|"
    r"csrftoken|(?:[a-z0-9]+[-_]){0,8}(?:password|passwd|secret|token|passphrase|private[-_]?key)"
)
_SECRET_NAME = re.compile(rf"^(?:{_NAMES})$", re.IGNORECASE)
# name: value, name=value, "name": "value", also with the quotes escaped once more.
_NAMED = re.compile(
    rf"(?P<name>(?<![a-z0-9])(?:{_NAMES}))(?P<sep>\\*[\"']?\s*[:=]\s*(?:b(?=\\*[\"']))?\\*[\"']?)"
    r"(?P<value>(?:(?:bearer|basic|token|digest|bot)\s+)?[^\s\"'\\,;&}\])]{4,})",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(?P<scheme>bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_URL_PASSWORD = re.compile(
    r"(?P<head>\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@\"']*:)[^\s/@\"']+(?=@)", re.IGNORECASE
)
_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:sk|pk|rk)-[A-Za-z0-9_-]{12,}|(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{12,}|"
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|"
    r"AIza[A-Za-z0-9_-]{30,}|AQ\.[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{16,}|(?:AKIA|ASIA)[A-Z0-9]{16}|"
    r"(?:xai|pplx|tgp_v1|nvapi|csk|fw|key)-[A-Za-z0-9_-]{20,}|(?:gsk|hf|r8|oat)_[A-Za-z0-9_-]{16,}|"
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}|"
    r"(?<![_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})"
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL
)


class Secret:
    """A secret text that shows itself as `***` however it is written; only `reveal` gives the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        object.__setattr__(self, "_value", value)

    def reveal(self) -> str:
        value: str = object.__getattribute__(self, "_value")
        return value

    def __str__(self) -> str:
        return MASK

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.reveal()

    def __hash__(self) -> int:
        return hash((Secret, self.reveal()))

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return (Secret, (MASK,))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("A secret cannot be changed.")


class Redactor:
    """Masks secrets in text and in structures of texts; safe to use from several threads."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._known: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def protect(self, *values: str) -> None:
        """From now on these values are masked, in every usual encoding. Values of under six characters and
        empty ones are ignored."""
        with self._lock:
            for value in values:
                if len(value) >= _SHORTEST:
                    self._counts[value] = self._counts.get(value, 0) + 1
            self._compile()

    def forget(self, *values: str) -> None:
        """Undoes one `protect` of each value."""
        with self._lock:
            for value in values:
                left = self._counts.get(value, 0) - 1
                if left > 0:
                    self._counts[value] = left
                else:
                    self._counts.pop(value, None)
            self._compile()

    @contextmanager
    def protected(self, *values: str) -> Iterator[None]:
        self.protect(*values)
        try:
            yield
        finally:
            self.forget(*values)

    def text(self, text: str) -> str:
        known = self._known
        if known is not None:
            text = known.sub(MASK, text)
        text = _PRIVATE_KEY.sub(MASK, text)
        text = _NAMED.sub(rf"\g<name>\g<sep>{MASK}", text)
        text = _SCHEME.sub(rf"\g<scheme> {MASK}", text)
        text = _URL_PASSWORD.sub(rf"\g<head>{MASK}", text)
        return _SHAPES.sub(MASK, text)

    def value(self, value: Any, depth: int = 0) -> Any:
        """The same structure with its texts masked, and with every field masked whose name asks for it."""
        if isinstance(value, str):
            return self.text(value)
        if depth >= _DEEPEST:
            return MASK
        if isinstance(value, Mapping):
            return {
                key: MASK if _names_a_secret(key) else self.value(item, depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.value(item, depth + 1) for item in value]
        return value

    def _compile(self) -> None:
        forms = {form for value in self._counts for form in spellings(value)}
        ordered = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None


def spellings(value: str) -> set[str]:
    """The ways in which encoders write a value: URL, JSON, HTML, Python, hexadecimal, base64."""
    raw = value.encode()
    escaped = quote(value, safe="")
    forms = {
        value,
        escaped,
        re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), escaped),
        quote(value),
        quote_plus(value),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        html.escape(value),
        raw.hex(),
        raw.hex().upper(),
    }
    # Inside a longer text (such as user:password) the value starts at any of three places of a base64 group;
    # what is the same whatever stands around it is what we can look for.
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * before + raw).decode()
            forms.add(encoded[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6])
    return {form for form in forms if len(form) >= _SHORTEST}


def _names_a_secret(key: object) -> bool:
    return isinstance(key, str) and _SECRET_NAME.match(key) is not None
