"""The open turn of an adapter: what in it still runs or waits, and that it ends exactly once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from sidecar.agents.base import AgentEvent, EventQueue, TurnOpen, UnknownPermission
from sidecar.protocol import messages

Emit = Callable[[str, messages.Data], None]
"""Sends an event of a kind, in the open turn."""


class Turns:
    """Every event of an adapter goes out through here, so that none carries a turn that has ended."""

    def __init__(self, queue: EventQueue) -> None:
        self.current: str | None = None
        self.ended = asyncio.Event()
        self._queue = queue
        self._running: set[str] = set()
        self._unfinished: dict[str, tuple[str, int]] = {}
        self._asked: set[str] = set()
        self._last_sign = time.monotonic()

    def begin(self, turn: str) -> None:
        """TurnOpen when another one has not ended."""
        self.check_none()
        self.current = turn
        self.ended.clear()
        self.sign()

    def check_none(self) -> None:
        """TurnOpen when a turn has not ended."""
        if self.current is not None:
            raise TurnOpen("The agent still works on an earlier prompt.")

    def emit(self, kind: str, data: messages.Data) -> None:
        """An event of the open turn, or of none when none is open."""
        self._queue.put(AgentEvent(kind=kind, data=data, turn=self.current))
        self.sign()
        if self.current is None:
            return
        match data:
            case messages.TextDelta():
                done = kind.replace("delta", "done")
                self._unfinished[data.part_id] = done, data.offset + len(data.text)
            case messages.TextDone():
                self._unfinished.pop(data.part_id, None)
            case messages.ToolUpsert(status="pending" | "in_progress"):
                self._running.add(data.tool_call_id)
            case messages.ToolUpsert(status="completed" | "failed" | "rejected" | "interrupted"):
                self._running.discard(data.tool_call_id)
            case messages.PermissionAsked():
                self._asked.add(data.permission_id)
            case messages.PermissionAnswered():
                self._asked.discard(data.permission_id)

    def answered(self, permission_id: str) -> None:
        """A person's decision arrived. UnknownPermission when nobody waits for it."""
        if permission_id not in self._asked:
            raise UnknownPermission("Nobody waits for this answer any more.")
        self._asked.discard(permission_id)
        self.sign()

    def end(self, stop_reason: messages.StopReason, error: messages.ErrorData | None = None) -> bool:
        """End the open turn: texts end as they are, tools that still run are interrupted.

        False when it had ended already. Unless the agent says that it was done, its texts were broken off.
        """
        if self.current is None:
            return False
        broken = stop_reason != "end_turn"
        for part_id, (kind, length) in list(self._unfinished.items()):
            self.emit(kind, messages.TextDone(part_id=part_id, length=length, broken=broken))
        for tool_call_id in sorted(self._running):
            self.emit("tool.upsert", messages.ToolUpsert(tool_call_id=tool_call_id, status="interrupted"))
        if error is not None:
            self.emit("error", error)
        self.emit("turn.ended", messages.TurnEnded(stop_reason=stop_reason, error=error))
        self.current = None
        self._running.clear()
        self._asked.clear()
        self.ended.set()
        return True

    def sign(self) -> None:
        """The agent gave a sign of life."""
        self._last_sign = time.monotonic()

    def silent_seconds(self) -> float:
        """How long nothing happened although something should: no tool runs and no person is asked."""
        if self.current is None or self._running or self._asked:
            self.sign()
        return time.monotonic() - self._last_sign
