"""The requests of the open turn: what the policy answers at once, what waits for a person, who answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sidecar.agents import text
from sidecar.agents.opencode import requests
from sidecar.agents.opencode.replies import Replies
from sidecar.agents.opencode.requests import Order, Request
from sidecar.agents.policy import Policy
from sidecar.agents.recent import Recent
from sidecar.agents.turns import Turns
from sidecar.protocol.frames import PermissionAnswer
from sidecar.protocol.messages import PermissionAnswered, PermissionChoice

MAX_OPEN = 200

_REPLIES: dict[str, PermissionChoice] = {"once": "once", "always": "session", "reject": "reject"}


class Consent:
    """Open requests by our id, and by OpenCode's id those that were ever seen or answered by us."""

    def __init__(self, turns: Turns, policy: Policy, workspace: str, send: Callable[[Order], None]) -> None:
        self.refused = False
        """A rejection without a word ended the model's work, unless it turns out to go on."""
        self._turns = turns
        self._policy = policy
        self._workspace = workspace
        self._send = send
        self._open: dict[str, Request] = {}
        self._seen = Recent()
        self._ours: set[str] = set()
        self._swept: set[str] = set()

    def forget_turn(self) -> None:
        """Requests die with their turn. OpenCode may still list them, so they stay known."""
        self.refused = False
        self._open.clear()
        self._ours.clear()
        self._swept.clear()

    def permission_asked(self, properties: dict[str, Any], replies: Replies) -> None:
        """A permission is wanted for a tool call of the turn that `replies` holds."""
        tool_call_id = self._new(properties, replies)
        if tool_call_id is None:
            return
        request = requests.permission_request(properties)
        metadata = text.mapping(properties.get("metadata"))
        replies.calls.intended(tool_call_id, metadata)
        if self._policy.allows(request.permission, request.patterns):
            self._answer_ourselves(request)
            return
        self._open[request.id] = request
        cwd = replies.calls.argument(tool_call_id, "workdir")
        data = requests.asked(
            request, metadata, tool_call_id=tool_call_id, cwd=cwd, workspace=self._workspace
        )
        self._turns.emit("permission.asked", data)

    def question_asked(self, properties: dict[str, Any], replies: Replies) -> None:
        """An answer is wanted."""
        tool_call_id = self._new(properties, replies)
        if tool_call_id is None:
            return
        request = requests.question_request(properties)
        self._open[request.id] = request
        self._turns.emit(
            "permission.asked", requests.question(request, properties, tool_call_id=tool_call_id)
        )

    def replied(self, properties: dict[str, Any]) -> None:
        """A request was answered: by us, in consequence of what we answered, or by somebody in the box."""
        upstream = text.line(properties.get("requestID"))
        if upstream in self._ours:
            return
        request = next((request for request in self._open.values() if request.upstream == upstream), None)
        if request is None:
            return
        reply = text.line(properties.get("reply"))
        choice = _REPLIES.get(reply) or ("answered" if "answers" in properties else "reject")
        self._close(request, choice, by="platform" if upstream in self._swept else "box")
        self.refused = self.refused or choice == "reject"

    def decide(self, answer: PermissionAnswer) -> Order:
        """A person's answer as the call that carries it. UnknownPermission when nobody waits for it."""
        self._turns.answered(answer.permission_id)
        request = self._open.pop(answer.permission_id)
        self._ours.add(request.upstream)
        if answer.choice == "reject":
            self.refused = self.refused or not answer.message
            # OpenCode rejects whatever else waits in the same session.
            self._swept |= {
                other.upstream for other in self._open.values() if other.session == request.session
            }
        elif answer.choice == "session" and request.type == "tool":
            self._policy.allow(request.permission, request.always)
            self._allow_waiting()
        return request.order(answer)

    def catch_up(self, permissions: Any, questions: Any, replies: Replies) -> None:
        """What waits according to OpenCode, after events may have been missed."""
        waiting = set()
        for listed, asked in ((permissions, self.permission_asked), (questions, self.question_asked)):
            for entry in text.items(listed, MAX_OPEN):
                properties = text.mapping(entry)
                waiting.add(text.line(properties.get("id")))
                asked(properties, replies)
        for request in list(self._open.values()):
            if request.upstream not in waiting:
                self._close(request, "lost", by="box")

    def _new(self, properties: dict[str, Any], replies: Replies) -> str | None:
        upstream = text.line(properties.get("id"))
        if not upstream or upstream in self._seen or len(self._open) >= MAX_OPEN:
            return None
        tool_call_id = replies.call(properties)
        if tool_call_id is not None:
            self._seen.add(upstream)
        return tool_call_id

    def _allow_waiting(self) -> None:
        for request in list(self._open.values()):
            if request.type == "tool" and self._policy.allows(request.permission, request.patterns):
                self._close(request, "session", by="platform")
                self._answer_ourselves(request)

    def _answer_ourselves(self, request: Request) -> None:
        self._ours.add(request.upstream)
        self._send(request.order(PermissionAnswer(permission_id=request.id, choice="once")))

    def _close(self, request: Request, choice: PermissionChoice, *, by: Any) -> None:
        del self._open[request.id]
        data = PermissionAnswered(permission_id=request.id, choice=choice, by=by)
        self._turns.emit("permission.answered", data)
