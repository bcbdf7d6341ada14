"""Which of OpenCode's messages belong to the open turn, and what their parts say."""

from __future__ import annotations

from typing import Any

from sidecar.agents import text
from sidecar.agents.opencode.parts import Calls, TextKind, Texts
from sidecar.agents.turns import Emit

MAX_SESSIONS = 500
MAX_MESSAGES = 20_000


class Replies:
    """One turn: the prompts that it consists of, the replies to them, and the sub-agents that it started."""

    def __init__(self, session: str, emit: Emit, workspace: str) -> None:
        self.finish = ""
        """How the model's last reply ended, in OpenCode's words."""
        self.is_complete = False
        """Whether nothing more comes of that reply."""
        self.texts = Texts(emit)
        self.calls = Calls(emit, workspace)
        self._session = session
        self._parents = {session: ""}
        self._prompts: set[str] = set()
        self._messages: set[str] = set()
        self._summaries: set[str] = set()

    @property
    def began(self) -> bool:
        """Whether OpenCode has taken up the prompt."""
        return bool(self._prompts)

    @property
    def unanswered(self) -> str:
        """The prompt as long as the model has not begun to answer, empty before OpenCode has taken it up."""
        return "" if self._messages else next(iter(self._prompts), "")

    @property
    def has_replies(self) -> bool:
        """Whether the model has begun to answer."""
        return bool(self._messages)

    @property
    def children(self) -> list[str]:
        """The sessions of this turn's sub-agents."""
        return [session for session in self._parents if session != self._session]

    def has_session(self, session: object) -> bool:
        """Whether events of `session` can concern this turn."""
        return isinstance(session, str) and session in self._parents

    def prompt(self, message: str) -> None:
        """A user message that is new: ours, or one that OpenCode adds to go on after a compaction."""
        if len(self._prompts) < MAX_MESSAGES:
            self._prompts.add(message)

    def reply(self, info: dict[str, Any]) -> bool:
        """An assistant message as it is now. True when it is new, and the main agent's."""
        message, session = text.line(info.get("id")), text.line(info.get("sessionID"))
        is_main = session == self._session
        if not self._belongs(session, info) or len(self._messages) >= MAX_MESSAGES:
            return False
        is_new = message not in self._messages
        self._messages.add(message)
        if info.get("summary") is True:
            self._summaries.add(message)
        if is_main:
            self.finish = text.line(info.get("finish"), 40)
            self.is_complete = bool(text.number(text.mapping(info.get("time")).get("completed")))
        return is_new and is_main

    def has(self, message: object) -> bool:
        """Whether `message` is one of this turn's replies."""
        return text.line(message) in self._messages

    def part(self, part: dict[str, Any]) -> None:
        """A part of a message as it is now."""
        message, part_id = text.line(part.get("messageID")), text.line(part.get("id"), 100)
        parent = self._parents.get(text.line(part.get("sessionID")))
        if parent is None or message not in self._messages or not part_id:
            return
        match part.get("type"):
            case "text" if not part.get("synthetic") and not part.get("ignored"):
                # What a compaction writes for the model itself is not an answer.
                kind: TextKind = "thought" if message in self._summaries else "message"
                self.texts.update(part_id, part, kind, parent)
            case "reasoning":
                self.texts.update(part_id, part, "thought", parent)
            case "tool":
                self._tool(part_id, part, parent)

    def delta(self, properties: dict[str, Any]) -> None:
        """More of a part's text."""
        if properties.get("field") == "text":
            self.texts.delta(text.line(properties.get("partID"), 100), properties.get("delta"))

    def retried(self, session: object) -> None:
        """OpenCode asks the model again for the reply that it was getting in `session`."""
        self.texts.abandon(self._parents.get(text.line(session), ""))

    def call(self, properties: dict[str, Any]) -> str | None:
        """Our id of the call that a request is about: empty if it names none, None if not of this turn."""
        if not self.began or not self.has_session(properties.get("sessionID")):
            return None
        tool = text.mapping(properties.get("tool"))
        if not tool:
            return ""
        return (
            self.calls.find(tool.get("messageID"), tool.get("callID"))
            if self.has(tool.get("messageID"))
            else None
        )

    def _belongs(self, session: str, info: dict[str, Any]) -> bool:
        if session == self._session:
            return text.line(info.get("parentID")) in self._prompts
        return session in self._parents

    def _tool(self, part_id: str, part: dict[str, Any], parent: str) -> None:
        state = text.mapping(part.get("state"))
        child = text.line(text.mapping(state.get("metadata")).get("sessionId"))
        if child and len(self._parents) < MAX_SESSIONS:
            self._parents.setdefault(child, part_id)
        self.calls.update(part_id, part, parent)
