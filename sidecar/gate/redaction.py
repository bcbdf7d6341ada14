"""Takes a secret out of bytes that pass by in pieces, also where a piece ends within it."""

from __future__ import annotations

import re

from sidecar import forms

STAND_IN = b"[hidden]"


class Redactor:
    """Replaces `secret` in every form that it may take; an empty one changes nothing.

    It holds back only bytes that may be a beginning of it.
    """

    def __init__(self, secret: str) -> None:
        # The longest first: one form may begin as another does.
        self._forms = sorted((form.encode() for form in forms.of(secret)), key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, self._forms)))
        self._characters = frozenset(b"".join(self._forms))
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """What of the bytes so far may pass on."""
        if not self._forms:
            return piece
        data = self._held + piece if self._held else piece
        if self.finds(data):
            data = self._pattern.sub(STAND_IN, data)
        keep = self._beginning(data)
        if not keep:
            self._held = b""
            return data
        self._held = data[-keep:]
        return data[:-keep]

    def finish(self) -> bytes:
        """The rest: the bytes end here."""
        rest, self._held = self._held, b""
        return rest

    def finds(self, data: bytes) -> bool:
        """Whether the secret stands in these bytes."""
        return any(form in data for form in self._forms)

    def cleaned(self, text: str) -> str:
        """A whole text without the secret."""
        return self._pattern.sub(STAND_IN, text.encode("utf-8", "replace")).decode() if self._forms else text

    def _beginning(self, data: bytes) -> int:
        """How many of the last bytes are a beginning of the secret."""
        # Events end with a line, which no secret has in it: nearly every piece is done here.
        if not data or data[-1] not in self._characters:
            return 0
        return max(_overlap(data, form) for form in self._forms)


def _overlap(data: bytes, form: bytes) -> int:
    longest = min(len(form) - 1, len(data))
    return next((size for size in range(longest, 0, -1) if form.startswith(data[-size:])), 0)
