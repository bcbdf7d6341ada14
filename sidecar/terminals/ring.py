"""The newest output of a terminal by absolute offset, with its sizes and times: pure, no I/O."""

from __future__ import annotations

import bisect

RESUME_SEARCH_BYTES = 64 * 1024
MAX_MARKS = 10_000


class Ring:
    """Bytes from `start` to `end`; the oldest go when there are more than `limit`.

    It takes memory as it fills, not before.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self.start = 0
        self.end = 0

    def append(self, data: bytes) -> None:
        """Add output at the end."""
        self.end += len(data)
        if len(data) > self._limit:
            data = data[-self._limit :]
        at = (self.end - len(data)) % self._limit
        if len(self._buffer) < self._limit and at > len(self._buffer):
            # So much came at once that the place of its tail was never written.
            self._buffer.extend(bytes(at - len(self._buffer)))
        first = min(len(data), self._limit - at)
        self._buffer[at : at + first] = data[:first]
        if first < len(data):
            self._buffer[: len(data) - first] = data[first:]
        self.start = max(self.start, self.end - self._limit)

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`, which must be between `start` and `end`."""
        if not self.start <= offset <= self.end:
            raise ValueError("this place is not in the ring")
        length = min(length, self.end - offset)
        at = offset % self._limit
        first = bytes(memoryview(self._buffer)[at : min(at + length, self._limit)])
        if len(first) == length:
            return first
        return first + bytes(memoryview(self._buffer)[: length - len(first)])

    def resume_point(self, offset: int) -> int:
        """A place at or after `offset` where a screen can begin: after a line's end, if there is one near."""
        if offset == 0:
            return 0
        found = self.read(offset, RESUME_SEARCH_BYTES).find(b"\n")
        return offset if found < 0 else offset + found + 1


class Sizes:
    """From which offset on the output is for which size: `(offset, rows, cols)`, in order."""

    def __init__(self, rows: int, cols: int) -> None:
        self._changes: list[tuple[int, int, int]] = [(0, rows, cols)]

    @property
    def now(self) -> tuple[int, int]:
        """The size that was set last."""
        return self._changes[-1][1:]

    def change(self, offset: int, rows: int, cols: int) -> None:
        """What comes from `offset`, the end, on is for this size."""
        if self._changes[-1][0] == offset and len(self._changes) > 1:
            self._changes.pop()
        if (rows, cols) != self.now:
            self._changes.append((offset, rows, cols))
        if len(self._changes) > MAX_MARKS:
            del self._changes[: MAX_MARKS // 10]

    def at(self, offset: int) -> tuple[int, int]:
        """The size that the byte at `offset` is for."""
        return self._changes[max(0, self._after(offset) - 1)][1:]

    def next_after(self, offset: int) -> int | None:
        """Where the first change after `offset` is."""
        index = self._after(offset)
        return self._changes[index][0] if index < len(self._changes) else None

    def kept(self, start: int) -> list[tuple[int, int, int]]:
        """Those that matter for output from `start` on."""
        return self._changes[max(0, self._after(start) - 1) :]

    def _after(self, offset: int) -> int:
        return bisect.bisect_right(self._changes, offset, key=lambda change: change[0])


class Times:
    """When the output came, for a recording: `[offset, milliseconds]`; coarser when there is much of it."""

    def __init__(self) -> None:
        self._marks: list[tuple[int, int]] = []

    def note(self, offset: int, milliseconds: int) -> None:
        """Output from `offset` on came at this time or later."""
        if self._marks and self._marks[-1][1] == milliseconds:
            return
        self._marks.append((offset, milliseconds))
        if len(self._marks) > MAX_MARKS:
            del self._marks[1::2]

    def kept(self, start: int) -> list[tuple[int, int]]:
        """Those that matter for output from `start` on."""
        return self._marks[max(0, bisect.bisect_right(self._marks, start, key=lambda mark: mark[0]) - 1) :]
