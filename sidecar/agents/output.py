"""Cuts the cumulative output of a tool call into pieces by offset.

OpenCode repeats all output with each news, and past 30000 characters only the last of it behind a mark. What
is new is found by overlap; where there is none, nobody knows how much is missing, and the piece says so. Past
the limit of a call only its end is kept, and what was left out is counted.
"""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.agents import text
from sidecar.protocol.messages import ToolOutput

MAX_OUTPUT = 256 * 1024
MAX_PIECE = 16 * 1024
KEPT_END = 8 * 1024

_MAX_REPEATED = 1024 * 1024
_WINDOW = 64 * 1024
_PROBE = 256
_ATTEMPTS = 32
_SLID = "...\n\n"
_SLID_BYTES = 2 * 30_000
_NOTHING = "(no output)"


class Output:
    """One call's output so far. Characters are code points."""

    def __init__(self, tool_call_id: str, *, limit: int = MAX_OUTPUT) -> None:
        self._id = tool_call_id
        self._limit = limit
        self._sent = 0
        self._last = ""
        self._recent = ""
        self._held = ""
        self._omitted = 0
        self._gap = False

    def update(self, cumulative: object) -> list[ToolOutput]:
        """Pieces for what is new in the output as a whole."""
        whole = text.clean(cumulative)[-_MAX_REPEATED:]
        if whole == _NOTHING or whole == self._last:
            return []
        fresh = self._new_in(whole)
        self._last = whole
        self._recent = (self._recent + fresh)[-_WINDOW:]
        return list(self._cut(fresh))

    def finish(self) -> list[ToolOutput]:
        """The end that was held back."""
        if not self._held:
            return []
        piece = ToolOutput(tool_call_id=self._id, offset=self._sent, text=self._held, omitted=self._omitted)
        piece.gap, self._gap = self._gap, False
        self._sent += len(self._held)
        self._held = ""
        return [piece]

    def _new_in(self, whole: str) -> str:
        if self._last and whole.startswith(self._last):
            return whole[len(self._last) :]
        has_slid = _has_slid(whole)
        shown = whole.removeprefix(_SLID) if has_slid else whole
        start = self._recent.find(shown[:_PROBE])
        for _ in range(_ATTEMPTS):
            if start < 0:
                break
            known = self._recent[start:]
            if shown.startswith(known):
                return shown[len(known) :]
            start = self._recent.find(shown[:_PROBE], start + 1)
        # Nothing in common: more was written since the last news than is repeated, or the agent rewrote it.
        self._gap = self._gap or has_slid
        return f"\n{_SLID}{shown}" if has_slid and self._recent else shown

    def _cut(self, fresh: str) -> Iterator[ToolOutput]:
        room = max(0, self._limit - self._sent)
        for start in range(0, min(room, len(fresh)), MAX_PIECE):
            piece = fresh[start : min(start + MAX_PIECE, room)]
            yield ToolOutput(tool_call_id=self._id, offset=self._sent, text=piece, gap=self._gap)
            self._gap = False
            self._sent += len(piece)
        if len(fresh) > room:
            held = self._held + fresh[room:]
            self._omitted += max(0, len(held) - KEPT_END)
            self._held = held[-KEPT_END:]


def _has_slid(whole: str) -> bool:
    """Whether it is only the end; a short output may begin like the mark. OpenCode counts in UTF-16."""
    return whole.startswith(_SLID) and len(whole.encode("utf-16-le", "surrogatepass")) > _SLID_BYTES
