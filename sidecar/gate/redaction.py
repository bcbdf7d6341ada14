"""Takes a secret out of bytes that pass by in pieces, also where a piece ends within it."""

from __future__ import annotations

STAND_IN = b"[hidden]"


class Redactor:
    """Replaces `secret`; holds back only bytes that may be its beginning. An empty secret changes nothing."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """What of the bytes so far may pass on."""
        if not self._secret:
            return piece
        data = (self._held + piece).replace(self._secret, STAND_IN)
        keep = self._beginning(data)
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep]

    def finish(self) -> bytes:
        """The rest: the bytes end here."""
        rest, self._held = self._held, b""
        return rest

    def _beginning(self, data: bytes) -> int:
        """How many of the last bytes are a beginning of the secret."""
        longest = min(len(self._secret) - 1, len(data))
        return next((size for size in range(longest, 0, -1) if self._secret.startswith(data[-size:])), 0)
