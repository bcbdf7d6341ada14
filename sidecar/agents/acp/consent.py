"""The requests of the open turn: what the policy answers at once, and what waits for a person's answer."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from sidecar.agents import text
from sidecar.agents.acp import questions, requests
from sidecar.agents.acp.questions import Form
from sidecar.agents.acp.requests import Request
from sidecar.agents.acp.toolcalls import Call, ToolCalls
from sidecar.agents.policy import Policy
from sidecar.agents.turns import Turns
from sidecar.protocol.frames import PermissionAnswer
from sidecar.protocol.messages import PermissionAnswered

MAX_OPEN = 200

_NOT_IN_PLAN = "Nothing is changed in plan mode."


class Consent:
    """Answers are futures: the agent's request waits on one until somebody decides, or the turn ends."""

    def __init__(self, turns: Turns, policy: Policy, workspace: str) -> None:
        self.refused = False
        """A person rejected something: the agent's work on this prompt ends."""
        self.advice = ""
        """What they said with it."""
        self._turns = turns
        self._policy = policy
        self._workspace = workspace
        self._open: dict[str, asyncio.Future[PermissionAnswer | None]] = {}
        self._requests: dict[str, tuple[Request, Call]] = {}

    def forget_turn(self) -> None:
        """Requests die with their turn."""
        self.refused, self.advice = False, ""
        self._let_go()

    def dismiss(self) -> None:
        """Nobody answers what is open any more, though the turn may go on: it is told to be lost."""
        for permission_id in self._open:
            data = PermissionAnswered(permission_id=permission_id, choice="lost", by="platform")
            self._turns.emit("permission.answered", data)
        self._let_go()

    async def permission(self, call: Call, options: object, calls: ToolCalls) -> dict[str, Any]:
        """The outcome of a request to allow this call."""
        request = requests.permission_request(call.given, options, self._workspace)
        if self._policy.mode == "plan" and request.permission in ("edit", "external_directory"):
            calls.reject(call, _NOT_IN_PLAN)
            return request.chosen(allow=False)
        if self._policy.allows(request.permission, request.patterns):
            return request.chosen(allow=True)
        data = requests.asked(request, call.given, tool_call_id=call.id, workspace=self._workspace)
        self._requests[request.id] = request, call
        answer = await self._ask(request.id, lambda: self._turns.emit("permission.asked", data))
        self._requests.pop(request.id, None)
        if answer is None:
            return requests.CANCELLED
        if answer.choice == "reject":
            calls.reject(call, text.line(f"It was not allowed. {answer.message}"))
            return requests.CANCELLED
        return request.chosen(allow=True)

    async def question(self, form: Form, call: Call | None, calls: ToolCalls) -> dict[str, Any]:
        """A person's answers to a form, which belongs to `call` if the agent says so."""
        permission_id = str(uuid4())
        data = form.asked(permission_id, call.id if call else "")
        answer = await self._ask(permission_id, lambda: self._turns.emit("permission.asked", data))
        if answer is None:
            return questions.DECLINED
        if answer.choice == "reject":
            if call is not None:
                calls.reject(call, text.line(f"It was not answered. {answer.message}"))
            return questions.DECLINED
        return form.accepted(answer.answers)

    def decide(self, answer: PermissionAnswer) -> None:
        """A person's answer. UnknownPermission when nobody waits for it; `refused` when it was no."""
        self._turns.answered(answer.permission_id)
        future = self._open.pop(answer.permission_id)
        request, _ = self._requests.get(answer.permission_id, (None, None))
        if answer.choice == "reject":
            self.refused, self.advice = True, answer.message
        future.set_result(answer)
        if answer.choice == "session" and request is not None:
            self._policy.allow(request.permission, request.always)
            self._allow_waiting()

    def _let_go(self) -> None:
        for future in self._open.values():
            if not future.done():
                future.set_result(None)
        self._open.clear()
        self._requests.clear()

    async def _ask(self, permission_id: str, tell: Any) -> PermissionAnswer | None:
        if self._turns.current is None or self.refused or len(self._open) >= MAX_OPEN:
            return None
        future: asyncio.Future[PermissionAnswer | None] = asyncio.get_running_loop().create_future()
        self._open[permission_id] = future
        tell()
        try:
            return await future
        finally:
            self._open.pop(permission_id, None)

    def _allow_waiting(self) -> None:
        for permission_id, (request, _) in list(self._requests.items()):
            future = self._open.get(permission_id)
            if future is None or not self._policy.allows(request.permission, request.patterns):
                continue
            del self._open[permission_id]
            data = PermissionAnswered(permission_id=permission_id, choice="session", by="platform")
            self._turns.emit("permission.answered", data)
            future.set_result(PermissionAnswer(permission_id=permission_id, choice="once"))
