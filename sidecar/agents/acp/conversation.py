"""What the agent's updates mean for the open turn. No I/O: updates come in, events go out through `Turns`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import structlog

from sidecar.agents import text
from sidecar.agents.acp import calls as names
from sidecar.agents.acp.consent import Consent
from sidecar.agents.acp.questions import Form
from sidecar.agents.acp.texts import Texts
from sidecar.agents.acp.toolcalls import NO_REMARKS, Call, ToolCalls
from sidecar.agents.policy import Policy
from sidecar.agents.turns import Turns
from sidecar.protocol.messages import Plan, PlanEntry

log = structlog.get_logger(__name__)

MAX_STEPS = 100
MAX_COMMANDS = 100
MAX_UNKNOWN = 200

_MEANINGLESS = frozenset({"current_mode_update", "session_info_update", "usage_update", "user_message_chunk"})
"""Modes are set here, titles and prompts are known, and what is used is counted by the gate."""


class Conversation:
    """One session of the agent's. `commands_changed` is called when it offers other commands."""

    def __init__(
        self,
        turns: Turns,
        policy: Policy,
        workspace: str,
        *,
        remarks: str,
        commands_changed: Callable[[], None],
    ) -> None:
        self.session = ""
        self.commands: list[str] = []
        self.consent = Consent(turns, policy, workspace)
        self._turns = turns
        self._workspace = workspace
        self._commands_changed = commands_changed
        self._remarks = re.compile(remarks, re.DOTALL) if remarks else NO_REMARKS
        self._begin("")
        self._is_open = False
        self._unknown: set[str] = set()
        self._handlers: dict[str, Callable[[dict[str, Any]], object]] = {
            "agent_message_chunk": lambda update: self._chunk("message", update),
            "agent_thought_chunk": lambda update: self._chunk("thought", update),
            "available_commands_update": self._commands,
            "plan": self._plan,
            "tool_call": self._tool,
            "tool_call_update": self._tool,
        }

    def begin(self, turn: str) -> None:
        """A turn begins; what is said before `open`, as when a session is taken up, is not part of it."""
        self._begin(turn)

    def open(self) -> None:
        """Our prompt goes out now: what comes from here on belongs to it."""
        self._is_open = True

    def break_off(self) -> None:
        """A model call has failed; the agent may ask again."""
        self._texts.break_off()

    def cancel(self) -> None:
        """The agent is told to stop: what it has asked is void."""
        self.consent.dismiss()

    def end(self) -> None:
        """The turn is about to end: what was held back is sent, and nothing more is taken."""
        self._is_open = False
        self.calls.finish()
        self.consent.forget_turn()

    def handle(self, params: dict[str, Any]) -> None:
        """One `session/update`; outside of a turn, as when an earlier session is loaded, little is taken."""
        update = text.mapping(params.get("update"))
        name = text.line(update.get("sessionUpdate"), 60)
        handler = self._handlers.get(name)
        if handler is None:
            if name not in _MEANINGLESS and name not in self._unknown and len(self._unknown) < MAX_UNKNOWN:
                self._unknown.add(name)
                log.info("acp.unknown_update", kind=name)
        elif name == "available_commands_update" or (self._is_open and self._is_ours(params)):
            self._turns.sign()
            handler(update)

    async def answer(self, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to a request of the agent's; None for what nobody here can do."""
        if method == names.ASK_PERMISSION:
            given = text.mapping(params.get("toolCall"))
            call = self._tool(given) if self._is_open and self._is_ours(params) else None
            if call is None:
                return {"outcome": {"outcome": "cancelled"}}
            return await self.consent.permission(call, params.get("options"), self.calls)
        if method == names.ASK_QUESTION:
            form = Form(params)
            return await self.consent.question(form, self.calls.find(form.tool_call), self.calls)
        return None

    def _begin(self, turn: str) -> None:
        self.calls = ToolCalls(self._turns.emit, self._workspace, turn, self._remarks)
        self._texts = Texts(self._turns.emit)
        self._shown_plan: list[PlanEntry] = []
        self.consent.forget_turn()

    def _is_ours(self, params: dict[str, Any]) -> bool:
        return params.get("sessionId") == self.session

    def _parent(self, update: dict[str, Any]) -> str:
        """Our id of the call whose sub-agent says this; Claude Code tells it."""
        meta = text.mapping(text.mapping(update.get("_meta")).get("claudeCode"))
        call = self.calls.find(meta.get("parentToolUseId"))
        return call.id if call else ""

    def _chunk(self, kind: Any, update: dict[str, Any]) -> None:
        content = text.mapping(update.get("content"))
        if content.get("type") == "text" and not self._remarks.fullmatch(text.clean(content.get("text"))):
            message = text.line(update.get("messageId"))
            self._texts.chunk(kind, content.get("text"), message=message, parent=self._parent(update))

    def _tool(self, update: dict[str, Any]) -> Call | None:
        parent = self._parent(update)
        self._texts.end(parent)
        meta = text.mapping(text.mapping(update.get("_meta")).get("claudeCode"))
        return self.calls.update(update, name=text.line(meta.get("toolName"), 100), parent=parent)

    def _plan(self, update: dict[str, Any]) -> None:
        entries = [_step(text.mapping(entry)) for entry in text.items(update.get("entries"), MAX_STEPS)]
        if entries != self._shown_plan:
            self._shown_plan = entries
            self._turns.emit("plan", Plan(entries=entries))

    def _commands(self, update: dict[str, Any]) -> None:
        listed = [text.mapping(entry) for entry in text.items(update.get("availableCommands"), MAX_COMMANDS)]
        commands = [name for entry in listed if (name := text.line(entry.get("name"), 100))]
        if commands != self.commands:
            self.commands = commands
            self._commands_changed()


def _step(given: dict[str, Any]) -> PlanEntry:
    status, priority = given.get("status"), given.get("priority")
    return PlanEntry(
        content=text.clip(given.get("content"), 500),
        status=status if status in ("pending", "in_progress", "completed", "cancelled") else "pending",
        priority=priority if priority in ("high", "medium", "low") else "medium",
    )
