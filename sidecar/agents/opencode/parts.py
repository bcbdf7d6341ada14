"""The parts of OpenCode's messages, text and tool calls, as deltas and upserts: nothing twice or lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from sidecar.agents import text
from sidecar.agents.opencode import tools
from sidecar.agents.output import Output
from sidecar.agents.turns import Emit
from sidecar.protocol.messages import TextDelta, TextDone, ToolUpsert

TextKind = Literal["message", "thought"]

MAX_TEXT = 1024 * 1024
MAX_DELTA = 16 * 1024
MAX_PARTS = 5000
_FINAL = frozenset({"completed", "failed", "rejected", "interrupted"})
_QUIET = frozenset({"question", "task", "todowrite"})
"""Tools whose output says nothing that is not shown in another way."""


@dataclass
class _Text:
    kind: TextKind
    parent: str
    pieces: list[str] = field(default_factory=list)
    length: int = 0
    half: str = ""
    gapped: bool = False
    done: bool = False


class Texts:
    """Text and reasoning parts of the open turn, by part id."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._parts: dict[str, _Text] = {}

    def delta(self, part_id: str, delta: object) -> None:
        """More text at the end of a part that is known. After a gap only the whole text can tell where."""
        part = self._parts.get(part_id)
        if part is None or part.done or part.gapped or not isinstance(delta, str):
            return
        fresh = part.half + delta
        # A character beyond the basic plane may be cut in two between deltas.
        part.half = fresh[-1] if fresh and "\ud800" <= fresh[-1] <= "\udbff" else ""
        self._append(part_id, part, text.clean(fresh.removesuffix(part.half)))

    def update(self, part_id: str, part: dict[str, Any], kind: TextKind, parent: str) -> None:
        """The part as OpenCode has it: what is missing of it is sent, and its end."""
        known = self._parts.get(part_id)
        if known is None:
            if len(self._parts) >= MAX_PARTS:
                return
            known = self._parts[part_id] = _Text(kind, parent)
        if known.done:
            return
        whole = text.clean(part.get("text"))[:MAX_TEXT]
        sent = "".join(known.pieces)
        final = bool(text.number(text.mapping(part.get("time")).get("end")))
        if whole.startswith(sent):
            known.half = ""
            self._append(part_id, known, whole[len(sent) :])
        elif final:
            self._correct(part_id, known, sent, whole)
        if final:
            self._end(part_id, known)

    def abandon(self, parent: str) -> None:
        """The model is asked again: what it had begun to say stays as it is, and never goes on."""
        for part_id, part in self._parts.items():
            if part.parent == parent and not part.done:
                self._end(part_id, part, broken=True)

    def gap(self) -> None:
        """Events may have been missed: parts that are under way wait for their whole text."""
        for part in self._parts.values():
            part.gapped = not part.done

    def _end(self, part_id: str, part: _Text, *, broken: bool = False) -> None:
        part.done = True
        if part.length:
            done = TextDone(part_id=part_id, length=part.length, broken=broken)
            self._emit(f"{part.kind}.done", done)

    def _correct(self, part_id: str, part: _Text, sent: str, whole: str) -> None:
        same = next(
            (at for at, (a, b) in enumerate(zip(sent, whole, strict=False)) if a != b),
            min(len(sent), len(whole)),
        )
        part.pieces, part.length = [whole[:same]], same
        self._append(part_id, part, whole[same:])

    def _append(self, part_id: str, part: _Text, fresh: str) -> None:
        fresh = fresh[: MAX_TEXT - part.length]
        for start in range(0, len(fresh), MAX_DELTA):
            piece = fresh[start : start + MAX_DELTA]
            self._emit(
                f"{part.kind}.delta",
                TextDelta(part_id=part_id, offset=part.length, text=piece, parent_tool_call_id=part.parent),
            )
            part.pieces.append(piece)
            part.length += len(piece)


@dataclass
class _Call:
    output: Output
    said: dict[str, Any] = field(default_factory=dict)
    """The fields that were sent last: only what differs is sent again."""


class Calls:
    """Tool calls of the open turn. Their id is OpenCode's part id: a provider may repeat its own ids."""

    def __init__(self, emit: Emit, workspace: str) -> None:
        self._emit = emit
        self._workspace = workspace
        self._calls: dict[str, _Call] = {}
        self._ids: dict[tuple[str, str], str] = {}

    def update(self, part_id: str, part: dict[str, Any], parent: str) -> None:
        """The call as OpenCode has it."""
        state = text.mapping(part.get("state"))
        name = text.line(part.get("tool"), 100) or "tool"
        call = self._call(part_id)
        if call is None or call.said.get("status") in _FINAL:
            return
        self._ids[text.clean(part.get("messageID")), text.clean(part.get("callID"))] = part_id
        status = tools.status(state)
        self._upsert(
            part_id,
            call,
            name=name,
            title=tools.title(name, state, self._workspace),
            tool_kind=tools.kind(name),
            status=None if status in _FINAL else status,
            input=tools.arguments(state),
            locations=tools.locations(state, self._workspace),
            diffs=tools.diffs(text.mapping(state.get("metadata")), self._workspace),
            parent_tool_call_id=parent or None,
        )
        if name not in _QUIET:
            self._write(call, state, final=status in _FINAL)
        if status in _FINAL:
            error, duration = tools.error(state), tools.duration_ms(state)
            self._upsert(part_id, call, status=status, error=error, duration_ms=duration)

    def find(self, message_id: object, call_id: object) -> str:
        """Our id of a call that OpenCode names by message and call, empty when it is unknown."""
        return self._ids.get((text.clean(message_id), text.clean(call_id)), "")

    def intended(self, tool_call_id: str, metadata: dict[str, Any]) -> None:
        """A request for permission shows the change that the call is about to make."""
        call = self._calls.get(tool_call_id)
        if call is not None and call.said.get("status") not in _FINAL:
            self._upsert(tool_call_id, call, diffs=tools.diffs(metadata, self._workspace))

    def argument(self, tool_call_id: str, name: str) -> str:
        """A text argument of a call, empty when there is none."""
        call = self._calls.get(tool_call_id)
        return text.clean((call.said.get("input") or {}).get(name)) if call else ""

    def finish(self) -> None:
        """The turn is over: what was held back of outputs is sent."""
        for call in self._calls.values():
            for piece in call.output.finish():
                self._emit("tool.output", piece)
        self._calls.clear()
        self._ids.clear()

    def _call(self, part_id: str) -> _Call | None:
        call = self._calls.get(part_id)
        if call is None and len(self._calls) < MAX_PARTS:
            call = self._calls[part_id] = _Call(Output(part_id))
        return call

    def _write(self, call: _Call, state: dict[str, Any], *, final: bool) -> None:
        cumulative = text.mapping(state.get("metadata")).get("output")
        pieces = call.output.update(state.get("output") if cumulative is None else cumulative)
        for piece in [*pieces, *(call.output.finish() if final else [])]:
            self._emit("tool.output", piece)

    def _upsert(self, part_id: str, call: _Call, **fields: Any) -> None:
        news = {
            name: value
            for name, value in fields.items()
            if value is not None and call.said.get(name) != value
        }
        if news:
            call.said.update(news)
            self._emit("tool.upsert", ToolUpsert(tool_call_id=part_id, **news))
