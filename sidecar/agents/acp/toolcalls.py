"""The tool calls of the open turn: starts, updates and permission requests, merged into upserts."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from sidecar.agents import text
from sidecar.agents.acp import tools
from sidecar.agents.output import Output
from sidecar.agents.turns import Emit
from sidecar.protocol.messages import FileChanged, ToolStatus, ToolUpsert

MAX_CALLS = 5000
MAX_CHANGES = 200

Change = Literal["created", "modified", "deleted"]

_FINAL = frozenset({"completed", "failed", "rejected", "interrupted"})
NO_REMARKS = re.compile(r"(?!)")
_FENCE = re.compile(r"\A```[a-z]*\n(.*?)\n?```\s*\Z", re.DOTALL)


@dataclass
class Call:
    """One call; `given` is what the agent last said of each of its fields."""

    id: str
    parent: str
    output: Output
    given: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    streamed: str = ""
    began: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        return self.said.get("status") in _FINAL


class ToolCalls:
    """Calls by the agent's own ids. Ours begin with the turn, because an agent may use its ids again."""

    def __init__(self, emit: Emit, workspace: str, turn: str, remarks: re.Pattern[str] = NO_REMARKS) -> None:
        self.cancelled = False
        """From now on a call that ends was interrupted, whatever the agent makes of it."""
        self._emit = emit
        self._workspace = workspace
        self._turn = turn
        self._remarks = remarks
        self._calls: dict[str, Call] = {}

    @property
    def has_command(self) -> bool:
        """Whether a command runs now."""
        return any(
            not call.is_over and call.said.get("tool_kind") == "execute" for call in self._calls.values()
        )

    def find(self, upstream: object) -> Call | None:
        """The call that the agent calls so."""
        return self._calls.get(text.line(upstream))

    def update(self, given: dict[str, Any], *, name: str, parent: str) -> Call | None:
        """News of a call, which may be the first; None for one that cannot be told apart."""
        upstream = text.line(given.get("toolCallId"))
        call = self._calls.get(upstream)
        if call is None:
            if not upstream or len(self._calls) >= MAX_CALLS:
                return None
            our_id = f"{self._turn[:8]}-{upstream}"
            call = self._calls[upstream] = Call(our_id, parent, Output(our_id))
        if call.is_over:
            return call
        call.given.update({key: value for key, value in given.items() if value is not None})
        status = tools.status(given)
        if self.cancelled and status in _FINAL:
            status = "interrupted"
        self._tell(call, given, name, status)
        self._write(call, given, runs=status in _FINAL or call.said.get("status") == "in_progress")
        if status in _FINAL:
            self._finish(call, status)
        return call

    def reject(self, call: Call, message: str) -> None:
        """A person, or the mode, did not allow it: whatever the agent still says, it did not run."""
        if not call.is_over:
            self._upsert(call, status="rejected", error=text.clip(message, tools.MAX_ERROR))

    def finish(self) -> None:
        """The turn is over: what was held back of outputs is sent."""
        for call in self._calls.values():
            for piece in call.output.finish():
                self._emit("tool.output", piece)
        self._calls.clear()

    def _tell(self, call: Call, news: dict[str, Any], name: str, status: ToolStatus | None) -> None:
        given, workspace = call.given, self._workspace
        kind = tools.kind(given) or "other"
        title = text.line(given.get("title")) or text.line(tools.command(given)) or name or kind
        first = not call.said
        self._upsert(
            call,
            name=name or call.said.get("name") or kind,
            title=text.line(title.replace(workspace.rstrip("/") + "/", "")),
            tool_kind=kind,
            status=("pending" if first else None) if status in _FINAL or status is None else status,
            input=tools.arguments(given),
            locations=tools.locations(given, workspace),
            diffs=tools.diffs(news, workspace),
            parent_tool_call_id=call.parent or None,
        )

    def _write(self, call: Call, given: dict[str, Any], *, runs: bool) -> None:
        meta = text.mapping(given.get("_meta"))
        if isinstance(data := text.mapping(meta.get("terminal_output_delta")).get("data"), str):
            call.streamed = (call.streamed + data)[-tools.MAX_OUTPUT :]
        elif isinstance(data := text.mapping(meta.get("terminal_output")).get("data"), str):
            call.streamed = data if data.startswith(call.streamed) else call.streamed + data
        whole: str | None = call.streamed
        if not whole and runs:
            # What a call shows before it runs is not its output.
            whole = tools.shown(given) or _raw_output(given)
        if not whole or self._remarks.fullmatch(whole):
            return
        if fenced := _FENCE.match(whole):
            whole = fenced[1]
        if call.said.get("status") == "pending" and call.streamed:
            # Whoever was asked first does not always say that it runs now.
            self._upsert(call, status="in_progress")
        for piece in call.output.update(whole):
            self._emit("tool.output", piece)

    def _finish(self, call: Call, status: ToolStatus) -> None:
        for piece in call.output.finish():
            self._emit("tool.output", piece)
        if call.said.get("status") == "pending":
            self._upsert(call, status="in_progress")
        error = None
        if status == "failed":
            error = text.clip(tools.shown(call.given) or "The tool failed.", tools.MAX_ERROR)
        if status == "completed":
            self._tell_changes(call)
        duration = round((time.monotonic() - call.began) * 1000)
        self._upsert(call, status=status, error=error, duration_ms=duration)

    def _tell_changes(self, call: Call) -> None:
        change: Change = "created" if tools.is_new_file(call.given) else "modified"
        paths = [diff.path for diff in tools.diffs(call.given, self._workspace) or []]
        if tools.kind(call.given) == "delete":
            change = "deleted"
            paths = [place.path for place in tools.locations(call.given, self._workspace) or []]
        for path in paths[:MAX_CHANGES]:
            if not tools.is_outside(path) and not path.startswith(".git/"):
                self._emit("file.changed", FileChanged(path=path, change=change))

    def _upsert(self, call: Call, **fields: Any) -> None:
        said = call.said
        news = {name: value for name, value in fields.items() if value not in (None, said.get(name))}
        if news:
            call.said.update(news)
            self._emit("tool.upsert", ToolUpsert(tool_call_id=call.id, **news))


def _raw_output(given: dict[str, Any]) -> str | None:
    """Output of an agent that shows none in a form for people."""
    raw = given.get("rawOutput")
    if isinstance(raw, str):
        return raw
    fields = text.mapping(raw)
    names = ("formatted_output", "aggregated_output", "output", "stdout", "content", "text")
    return next((said for name in names if isinstance(said := fields.get(name), str) and said), None)
