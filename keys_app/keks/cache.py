"""Data keys that were unwrapped a moment ago: so many, for so long, and no more."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from time import monotonic


class DekCache:
    """By what was unwrapped and for which place: nothing opens from here that would not open there."""

    def __init__(self, *, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._kept: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, ciphertext: bytes, context: bytes) -> bytes | None:
        """The data key, unless it is not here or too old."""
        name = _name(ciphertext, context)
        with self._lock:
            until, dek = self._kept.get(name, (0.0, b""))
            if monotonic() < until:
                return dek
            self._kept.pop(name, None)
            return None

    def put(self, ciphertext: bytes, context: bytes, dek: bytes) -> None:
        """Keeps it; the oldest goes when there are too many."""
        with self._lock:
            self._kept[_name(ciphertext, context)] = (monotonic() + self._seconds, dek)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def _name(ciphertext: bytes, context: bytes) -> bytes:
    return hashlib.sha256(len(ciphertext).to_bytes(4, "big") + ciphertext + context).digest()
