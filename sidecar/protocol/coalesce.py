"""Events that wait for their number: what belongs together becomes one while it waits. Pure, no I/O.

Only unnumbered events are merged, and only so that folding the result gives what folding the original
gives: pieces of one text that adjoin, newer facts about one tool call, a newer plan, status or configuration.
Offsets count Unicode code points, as `len` of a Python string does.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import msgspec

from sidecar.protocol import messages

MAX_DELTA_CHARACTERS = 16 * 1024
"""A merged piece of text grows to this length, so that one event stays easy to send, store and show."""

MAX_MERGED_BYTES = 256 * 1024
"""Facts about a tool call are put together up to this size."""

_DONE_OF = {"message.done": "message.delta", "thought.done": "thought.delta"}
_REPLACED = frozenset({"plan", "agent.status", "agent.config"})
_INDEPENDENT = frozenset({"usage", "file.changed"})
"""Kinds whose place among the others does not matter: nothing has to wait or move because of them."""

_Key = tuple[str, str, str | None]


@dataclass(slots=True)
class Draft:
    """An event without its number. `size` estimates its encoded length; drafts of one `key` may be merged."""

    kind: str
    data: messages.Data
    turn: str | None
    size: int
    key: _Key | None


class Coalescer:
    """The queue of drafts. It has no limit of its own: its owner watches `count` and `size`."""

    def __init__(self) -> None:
        self._drafts: deque[Draft] = deque()
        self._open: dict[_Key, Draft] = {}
        self.size = 0
        self.added = 0
        """How many drafts there ever were: the number of the youngest."""

    @property
    def count(self) -> int:
        return len(self._drafts)

    def add(self, kind: str, data: messages.Data, *, turn: str | None, size: int) -> None:
        """Queue an event, or merge it into one that waits. `data` belongs to the coalescer from here on."""
        if self.merge(kind, data, turn=turn, size=size):
            return
        key = _key(kind, data, turn)
        draft = Draft(kind, data, turn, size, key)
        self._drafts.append(draft)
        self.size += size
        self.added += 1
        if key:
            self._open[key] = draft
        elif kind in _DONE_OF and isinstance(data, messages.TextDone):
            self._open.pop((_DONE_OF[kind], data.part_id, turn), None)
        elif kind not in _INDEPENDENT:
            # Turns and permissions begin or end something: no text may cross them.
            self._open.clear()

    def merge(self, kind: str, data: messages.Data, *, turn: str | None, size: int) -> bool:
        """Merge an event into one that waits; False when there is none that it fits."""
        key = _key(kind, data, turn)
        waiting = self._open.get(key) if key else None
        if waiting is None or not _merge(waiting, data, size):
            return False
        grown = size - waiting.size if kind in _REPLACED else size
        waiting.size += grown
        self.size += grown
        return True

    def take(self) -> Draft:
        """Remove the oldest draft. IndexError when there is none."""
        draft = self._drafts.popleft()
        self.size -= draft.size
        if draft.key and self._open.get(draft.key) is draft:
            del self._open[draft.key]
        return draft


def _key(kind: str, data: messages.Data, turn: str | None) -> _Key | None:
    """What events have in common that may be merged; None for events that stand alone."""
    if isinstance(data, messages.TextDelta):
        return kind, data.part_id, turn
    if isinstance(data, messages.ToolOutput | messages.ToolUpsert):
        return kind, data.tool_call_id, turn
    if isinstance(data, messages.Suppressed):
        return kind, data.kind, turn
    return (kind, "", turn) if kind in _REPLACED else None


def _merge(waiting: Draft, data: messages.Data, size: int) -> bool:
    """Put `data` into the waiting draft of the same key; False when the two do not fit together."""
    old = waiting.data
    if isinstance(old, messages.TextDelta) and isinstance(data, messages.TextDelta):
        if old.parent_tool_call_id != data.parent_tool_call_id:
            return False
        return _append(old, data)
    if isinstance(old, messages.ToolOutput) and isinstance(data, messages.ToolOutput):
        return not (data.omitted or data.gap) and _append(old, data)
    if isinstance(old, messages.ToolUpsert) and isinstance(data, messages.ToolUpsert):
        if waiting.size + size > MAX_MERGED_BYTES:
            return False
        for name in _UPSERT_FIELDS:
            value = getattr(data, name)
            if value is not None:
                setattr(old, name, value)
        return True
    if isinstance(old, messages.Suppressed) and isinstance(data, messages.Suppressed):
        old.count += data.count
        return True
    waiting.data = data
    return True


_UPSERT_FIELDS = tuple(
    field.name for field in msgspec.structs.fields(messages.ToolUpsert) if field.name != "tool_call_id"
)


def _append(
    old: messages.TextDelta | messages.ToolOutput, new: messages.TextDelta | messages.ToolOutput
) -> bool:
    length = len(old.text)
    if new.offset != old.offset + length or length + len(new.text) > MAX_DELTA_CHARACTERS:
        return False
    old.text += new.text
    return True
