"""The agent's texts and thoughts, which come as chunks without an end, as parts with offsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from sidecar.agents import text
from sidecar.agents.turns import Emit
from sidecar.protocol.messages import TextDelta, TextDone

TextKind = Literal["message", "thought"]

MAX_TEXT = 1024 * 1024
MAX_DELTA = 16 * 1024


@dataclass
class _Part:
    kind: TextKind
    message: str
    id: str
    length: int = 0
    half: str = ""


class Texts:
    """A part goes on until something else happens; each sub-agent has a part of its own."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._open: dict[str, _Part] = {}

    def chunk(self, kind: TextKind, said: object, *, message: str, parent: str) -> None:
        """More of a text; another `kind` or `message` than before begins a new part."""
        if not isinstance(said, str) or not said:
            return
        part = self._open.get(parent)
        if part is None or (part.kind, part.message) != (kind, message):
            self.end(parent)
            part = self._open[parent] = _Part(kind, message, str(uuid4()))
        fresh = part.half + said
        # A character beyond the basic plane may be cut in two between chunks.
        part.half = fresh[-1] if "\ud800" <= fresh[-1] <= "\udbff" else ""
        fresh = text.clean(fresh.removesuffix(part.half))[: MAX_TEXT - part.length]
        for start in range(0, len(fresh), MAX_DELTA):
            piece = fresh[start : start + MAX_DELTA]
            delta = TextDelta(part_id=part.id, offset=part.length, text=piece, parent_tool_call_id=parent)
            self._emit(f"{kind}.delta", delta)
            part.length += len(piece)

    def end(self, parent: str, *, broken: bool = False) -> None:
        """Something else happens; `broken` when the part did not come to its end."""
        part = self._open.pop(parent, None)
        if part is not None and part.length:
            done = TextDone(part_id=part.id, length=part.length, broken=broken)
            self._emit(f"{part.kind}.done", done)

    def break_off(self) -> None:
        """The model's answer was cut: what it had begun to say never goes on."""
        for parent in list(self._open):
            self.end(parent, broken=True)
