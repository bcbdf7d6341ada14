"""Reads server-sent events out of bytes that arrive in any pieces; pure, and bounded in memory."""

from __future__ import annotations

MAX_EVENT_BYTES = 8 * 1024 * 1024


class EventReader:
    """Feed it pieces, take the data of whole events. An event that is too long is skipped and remembered."""

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self.skipped = False
        self._limit = limit
        self._line = bytearray()
        self._data: list[bytes] = []
        self._length = 0
        self._after_return = False
        self._skipping = False
        self._line_is_empty = True

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that `piece` completes, in order."""
        if not piece:
            return []
        # A line ends with \r, \n or both; the two of one end may arrive apart.
        if self._after_return:
            piece = piece.removeprefix(b"\n")
        self._after_return = piece.endswith(b"\r")
        lines = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        events = []
        for line in lines[:-1]:
            self._extend(line)
            if (event := self._end_line()) is not None:
                events.append(event)
        self._extend(lines[-1])
        return events

    def _extend(self, part: bytes) -> None:
        self._line_is_empty = self._line_is_empty and not part
        if self._skipping:
            return
        if self._length + len(self._line) + len(part) > self._limit:
            self._skipping = self.skipped = True
            self._line.clear()
            self._data.clear()
        else:
            self._line += part

    def _end_line(self) -> bytes | None:
        """Take the line that is complete; the event's data when it was the empty line that ends an event."""
        line, is_empty = bytes(self._line), self._line_is_empty
        self._line.clear()
        self._line_is_empty = True
        if not is_empty:
            if line.startswith(b"data:"):
                value = line[5:].removeprefix(b" ")
                self._data.append(value)
                self._length += len(value)
            return None
        data = self._data
        self._data, self._length, self._skipping = [], 0, False
        return b"\n".join(data) if data else None
