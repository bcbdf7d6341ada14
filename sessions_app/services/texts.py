"""A text that comes in pieces, each of which says where it stands."""

from __future__ import annotations

_UNIT = "utf-32-le"
_BYTES = 4


class Text:
    """What its pieces tell so far. A piece costs what it is long, however long the text is by then."""

    def __init__(self, text: str = "") -> None:
        self._units = bytearray()
        self.put(0, text)

    def put(self, offset: int, text: str) -> None:
        """`text` stands at character `offset`; past the end it is appended. Idempotent."""
        # Half of a surrogate pair is a character like any other here.
        units = text.encode(_UNIT, "surrogatepass")
        start = min(max(0, offset) * _BYTES, len(self._units))
        self._units[start : start + len(units)] = units

    def __str__(self) -> str:
        return self._units.decode(_UNIT, "surrogatepass")
