"""Folds a log into the conversation: turns with messages, thoughts, tools, permissions and the plan.

`frontend/src/protocol/fold.ts` is the twin of `fold`; tests/fixtures/conversations/ holds both to the same
answers. Events that the log refused to store never get here, so data is taken as its schema promises it.
Times of items are those of their first event and of the one that ended them: folding keeps both.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from sessions_app.services import logs
from sessions_app.services.texts import Text

Json: TypeAlias = dict[str, Any]

_NOT_SHOWN = {
    *("agent.status", "file.changed", "terminal.opened", "terminal.closed"),
    *("egress.used", "egress.blocked"),
}
_CUT_SHORT = {"interrupted", "cancelled"}
_UNFINISHED = {"pending", "in_progress"}


def build(session_id: uuid.UUID) -> Json:
    """The conversation of what is stored; of a log beyond all measure, of its newest part.

    Then `omitted_before` is the first number of that part, and what came before is in the log only.
    """
    begin, events = logs.newest(session_id=session_id)
    told = fold(events)
    return {**told, "omitted_before": begin} if begin else told


def fold(events: Iterable[Mapping[str, Any]]) -> Json:
    """The conversation that these events tell; they come in the order of their numbers, from the first on."""
    folding = _Folding()
    for event in events:
        folding.add(event)
    return folding.finish()


class _Folding:
    """A conversation under construction, with its items by their ids."""

    def __init__(self) -> None:
        self.conversation: Json = {
            "last_seq": 0,
            "gen": 0,
            "agent": None,
            "config": None,
            "turns": [],
            "notices": [],
        }
        self._turns: dict[str, _Turn] = {}

    def finish(self) -> Json:
        """The conversation, with the texts as the last piece left them."""
        for turn in self._turns.values():
            turn.finish()
        return self.conversation

    def add(self, event: Mapping[str, Any]) -> None:
        whole, kind, turn = self.conversation, event["kind"], event["turn"]
        whole["last_seq"] = max(whole["last_seq"], event.get("seq_end") or event["seq"])
        whole["gen"] = event["gen"]
        if kind.startswith("instance."):
            if kind == "instance.started":
                whole["agent"] = event["data"]["agent"]
            self._notice(event)
        elif kind == "agent.config":
            whole["config"] = event["data"]
        elif turn is not None:
            if kind not in _NOT_SHOWN:
                self._turn(turn, event).add(event)
        elif kind in {"error", "events.suppressed"} or (
            kind == "permission.answered" and event["data"].get("host")
        ):
            self._notice(event)

    def _notice(self, event: Mapping[str, Any]) -> None:
        self.conversation["notices"].append({name: event[name] for name in ("seq", "kind", "ts", "data")})

    def _turn(self, turn: str, event: Mapping[str, Any]) -> _Turn:
        if turn not in self._turns:
            self._turns[turn] = _Turn(turn, event)
            self.conversation["turns"].append(self._turns[turn].shape)
        return self._turns[turn]


class _Turn:
    """One turn under construction; an event that names an unknown one begins it without a prompt."""

    def __init__(self, turn: str, event: Mapping[str, Any]) -> None:
        self.shape: Json = {
            "id": turn,
            "seq": event["seq"],
            "prompt": "",
            "by": "",
            "model": "",
            "started_at": event["ts"],
            "ended_at": None,
            "status": "running",
            "stop_reason": None,
            "error": None,
            "items": [],
            "plan": [],
            "usage": {"calls": 0, "input": 0, "output": 0, "cached": 0, "reasoning": 0},
        }
        self._items: dict[tuple[str, str], Json] = {}
        self._texts: dict[tuple[str, str], Text] = {}

    def add(self, event: Mapping[str, Any]) -> None:
        step = _STEPS.get(event["kind"])
        if step is not None:
            step(self, event, event["data"])

    def finish(self) -> None:
        for (group, name), text in self._texts.items():
            self._items[group, name]["text" if group == "part" else "output"] = str(text)

    def _started(self, event: Mapping[str, Any], data: Json) -> None:
        self.shape.update(
            prompt=data["prompt"], by=data.get("by", ""), model=data.get("model", ""), started_at=event["ts"]
        )

    def _ended(self, event: Mapping[str, Any], data: Json) -> None:
        reason = data["stop_reason"]
        self.shape.update(ended_at=event["ts"], status="ended", stop_reason=reason, error=data.get("error"))
        for item in self.shape["items"]:
            if item["type"] == "permission" and item["state"] == "pending":
                item["state"] = "lost"
            elif item["type"] == "tool" and reason in _CUT_SHORT and item["status"] in _UNFINISHED:
                item.update(status="interrupted", ended_at=event["ts"])
            elif item["type"] in {"message", "thought"} and not item["done"]:
                item.update(broken=True, ended_at=item["ended_at"] or event["ts"])

    def _text(self, event: Mapping[str, Any], data: Json) -> None:
        # A part is one item, whichever kind its later deltas claim to be of.
        self._item("part", data["part_id"], lambda: _new_text(event, data))
        self._put("part", data["part_id"], data)

    def _text_done(self, event: Mapping[str, Any], data: Json) -> None:
        if item := self._items.get(("part", data["part_id"])):
            item.update(done=True, broken=data.get("broken", False), ended_at=event["ts"])

    def _tool(self, event: Mapping[str, Any], data: Json) -> None:
        item = self._item("tool", data["tool_call_id"], lambda: _new_tool(event, data))
        was = item["status"]
        item.update({name: value for name, value in data.items() if value is not None})
        if was == "pending" and item["status"] == "in_progress":
            # What came before was waiting.
            item["started_at"] = event["ts"]
        if item["status"] in _UNFINISHED:
            item["ended_at"] = None
        elif item["ended_at"] is None:
            item["ended_at"] = event["ts"]

    def _output(self, event: Mapping[str, Any], data: Json) -> None:
        item = self._item("tool", data["tool_call_id"], lambda: _new_tool(event, data))
        self._put("tool", data["tool_call_id"], data)
        item["output_omitted"] = max(item["output_omitted"], data.get("omitted", 0))
        item["output_gap"] = item["output_gap"] or data.get("gap", False)

    def _plan(self, event: Mapping[str, Any], data: Json) -> None:
        self.shape["plan"] = data["entries"]

    def _asked(self, event: Mapping[str, Any], data: Json) -> None:
        item = _new_permission(event, data)
        self._items["permission", data["permission_id"]] = item
        self.shape["items"].append(item)

    def _answered(self, event: Mapping[str, Any], data: Json) -> None:
        if item := self._items.get(("permission", data["permission_id"])):
            item.update(
                state="lost" if data["choice"] == "lost" else "answered",
                choice=data["choice"],
                by=data["by"],
                user=data.get("user", ""),
                message=data.get("message", ""),
                answers=data.get("answers", []),
            )

    def _usage(self, event: Mapping[str, Any], data: Json) -> None:
        usage = self.shape["usage"]
        before = data.get("corrects") or {}
        usage["calls"] += not before
        for name in ("input", "output", "cached", "reasoning"):
            usage[name] += data.get(name, 0) - before.get(name, 0)

    def _error(self, event: Mapping[str, Any], data: Json) -> None:
        error = {name: data.get(name, "") for name in ("class", "message", "retry_at")}
        self.shape["items"].append({"type": "error", "seq": event["seq"], **error})

    def _suppressed(self, event: Mapping[str, Any], data: Json) -> None:
        item = {"type": "suppressed", "seq": event["seq"], "kind": data["kind"], "count": data["count"]}
        self.shape["items"].append(item)

    def _put(self, group: str, name: str, data: Json) -> None:
        self._texts.setdefault((group, name), Text()).put(data["offset"], data["text"])

    def _item(self, group: str, name: str, make: Callable[[], Json]) -> Json:
        if (group, name) not in self._items:
            self._items[group, name] = make()
            self.shape["items"].append(self._items[group, name])
        return self._items[group, name]


_STEPS: dict[str, Callable[[_Turn, Mapping[str, Any], Json], None]] = {
    "turn.started": _Turn._started,
    "turn.ended": _Turn._ended,
    "message.delta": _Turn._text,
    "thought.delta": _Turn._text,
    "message.done": _Turn._text_done,
    "thought.done": _Turn._text_done,
    "tool.upsert": _Turn._tool,
    "tool.output": _Turn._output,
    "plan": _Turn._plan,
    "permission.asked": _Turn._asked,
    "permission.answered": _Turn._answered,
    "usage": _Turn._usage,
    "error": _Turn._error,
    "events.suppressed": _Turn._suppressed,
}


def _new_text(event: Mapping[str, Any], data: Json) -> Json:
    return {
        "type": event["kind"].removesuffix(".delta"),
        "seq": event["seq"],
        "started_at": event["ts"],
        "ended_at": None,
        "part_id": data["part_id"],
        "text": "",
        "done": False,
        "broken": False,
        "parent_tool_call_id": data.get("parent_tool_call_id", ""),
    }


def _new_tool(event: Mapping[str, Any], data: Json) -> Json:
    return {
        "type": "tool",
        "seq": event["seq"],
        "started_at": event["ts"],
        "ended_at": None,
        "tool_call_id": data["tool_call_id"],
        "name": "",
        "title": "",
        "tool_kind": "other",
        "status": "pending",
        "input": {},
        "locations": [],
        "diffs": [],
        "error": "",
        "duration_ms": None,
        "parent_tool_call_id": "",
        "output": "",
        "output_omitted": 0,
        "output_gap": False,
    }


def _new_permission(event: Mapping[str, Any], data: Json) -> Json:
    texts = ("tool_call_id", "command", "cwd", "path", "diff", "host", "rule")
    return {
        "type": "permission",
        "seq": event["seq"],
        "permission_id": data["permission_id"],
        "permission_type": data["type"],
        "title": data["title"],
        **{name: data.get(name, "") for name in texts},
        "questions": data.get("questions", []),
        "state": "pending",
        "choice": "",
        "by": "",
        "user": "",
        "message": "",
        "answers": [],
    }
