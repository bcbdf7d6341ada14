"""How far the input of each client of a terminal came, so that none is lost, doubled or reordered: pure."""

from __future__ import annotations

from collections import OrderedDict

MAX_CLIENTS = 256


class Typed:
    """The next expected offset of every client that typed; who was silent for longest is forgotten."""

    def __init__(self) -> None:
        self._expected: OrderedDict[str, int] = OrderedDict()

    def expected(self, client: str) -> int:
        """The offset of the first byte of this client that has not been taken."""
        return self._expected.get(client, 0)

    def accept(self, client: str, offset: int, data: bytes) -> bytes:
        """What of `data` is new and next, which counts as taken. Nothing after a gap, and of a repeat."""
        expected = self.expected(client)
        if offset > expected:
            return b""
        fresh = data[expected - offset :]
        if fresh:
            self._expected[client] = expected + len(fresh)
            self._expected.move_to_end(client)
            if len(self._expected) > MAX_CLIENTS:
                self._expected.popitem(last=False)
        return fresh
