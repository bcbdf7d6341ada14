"""Asks a person whether the box may reach a host: one question for each host, and never a flood of them."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sidecar.gate.egress.policy import Target
from sidecar.protocol import frames, messages

Emit = Callable[[str, messages.Data], None]
Outcome = Literal["once", "session", "always", "never", "reject", "unanswered", "too_many_questions"]

MAX_OPEN = 4
"""Questions of a box that wait at once: an agent's own have to find room beside them."""
MAX_IN_WINDOW = 20
WINDOW_SECONDS = 600.0
ANSWER_SECONDS = 120.0


@dataclass(frozen=True)
class Question:
    """One that waits for its answer."""

    target: Target
    outcome: asyncio.Future[Outcome]
    timer: asyncio.TimerHandle


class Questions:
    """What waits for a person. `has_room` says whether one more permission may wait in this session."""

    def __init__(
        self,
        emit: Emit,
        on_answer: Callable[[Target, str], None],
        *,
        has_room: Callable[[], bool] = lambda: True,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._emit = emit
        self._on_answer = on_answer
        self._has_room = has_room
        self._seconds = seconds
        self._open: dict[str, Question] = {}
        self._asked: deque[float] = deque(maxlen=MAX_IN_WINDOW)
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._open)

    async def ask(self, target: Target) -> Outcome:
        """What a person says; who asks the same meanwhile gets the same answer."""
        for question in self._open.values():
            if question.target.rule == target.rule:
                return await asyncio.shield(question.outcome)
        loop = asyncio.get_running_loop()
        if self._is_closed or not self._may_ask(loop.time()):
            return "too_many_questions"
        self._asked.append(loop.time())
        permission_id = str(uuid.uuid4())
        timer = loop.call_later(self._seconds, self._lose, permission_id)
        question = self._open[permission_id] = Question(target, loop.create_future(), timer)
        asked = messages.PermissionAsked(
            permission_id=permission_id,
            type="egress",
            title=f"A program in the box wants to reach {target.host}",
            host=str(target),
            rule=target.rule,
        )
        self._emit("permission.asked", asked)
        return await asyncio.shield(question.outcome)

    def answer(self, order: frames.PermissionAnswer) -> bool:
        """A person's answer; False when it is to no question of these."""
        question = self._open.pop(order.permission_id, None)
        if question is None:
            return False
        choice = "reject" if order.choice == "answered" else order.choice
        answered = messages.PermissionAnswered(
            permission_id=order.permission_id,
            choice=choice,
            by="user",
            user=order.user,
            message=order.message,
            host=question.target.rule,
        )
        self._emit("permission.answered", answered)
        self._on_answer(question.target, choice)
        self._settle(question, choice)
        return True

    def settle(self, is_decided: Callable[[Target], bool]) -> None:
        """Close the questions that need no answer any more."""
        for permission_id, question in list(self._open.items()):
            if is_decided(question.target):
                self._lose(permission_id)

    def close(self) -> None:
        """Nobody is asked any more, and whoever was asked need not answer."""
        self._is_closed = True
        for permission_id in list(self._open):
            self._lose(permission_id)

    def _may_ask(self, now: float) -> bool:
        is_flood = len(self._asked) == MAX_IN_WINDOW and now - self._asked[0] < WINDOW_SECONDS
        return len(self._open) < MAX_OPEN and not is_flood and self._has_room()

    def _lose(self, permission_id: str) -> None:
        question = self._open.pop(permission_id)
        lost = messages.PermissionAnswered(permission_id=permission_id, choice="lost", by="platform")
        self._emit("permission.answered", lost)
        self._settle(question, "unanswered")

    def _settle(self, question: Question, outcome: Outcome) -> None:
        question.timer.cancel()
        question.outcome.set_result(outcome)
