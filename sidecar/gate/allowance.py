"""Whether one more model call may begin, by what the platform says is left.

While nothing binds the session a call never waits: the question goes along with it, and its answer counts for
the next one. As soon as a budget binds it there is one call at a time, and each begins when the platform has
stored what the ones before it cost and says that something is left. Of all sessions that share a budget
each passes it by one call at most.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sidecar.protocol.budget import BUDGET_VERSION, MAX_CALLS, Budget, BudgetAsk

ANSWER_SECONDS = 30.0
AGAIN_SECONDS = 0.05


class Exceeded(Exception):
    """No call may begin; the message says why. `permanent`: not before somebody raises the budget."""

    def __init__(self, message: str, *, permanent: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent


class Allowance:
    """What one session is allowed. `send` hands a frame to the link, which may lose it in a cut."""

    def __init__(self, send: Callable[[BudgetAsk], None], *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.is_asked = False
        self._send = send
        self._answer_seconds = answer_seconds
        self._is_limited = False
        self._counted: deque[str] = deque(maxlen=MAX_CALLS)
        self._turn = asyncio.Lock()
        self._ask: BudgetAsk | None = None
        self._answered = asyncio.Event()
        self._answer: Budget | None = None

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Around a call: enters when it may begin. Exceeded when it may not, or nobody says that it may."""
        if not self.is_asked and not self._is_limited:
            yield
            return
        if not self._is_limited:
            self._put()
            yield
            return
        async with self._turn:
            await self._permission()
            yield

    def claim(self, *, is_limited: bool) -> None:
        """Whether a budget binds the session, as its claim says; answers may tell otherwise later."""
        self._is_limited = is_limited

    def counted(self, request_id: str) -> None:
        """A call was counted under this id: it has to be stored before the next one is allowed."""
        self._counted.append(request_id)

    def link_up(self, version: int) -> list[BudgetAsk]:
        """A new connection of this version of the link: what to ask again on it."""
        self.is_asked = version >= BUDGET_VERSION
        return [self._ask] if self.is_asked and self._ask is not None else []

    def receive(self, answer: Budget) -> None:
        """The platform answers; what answers no question is ignored."""
        if self._ask is None or answer.id != self._ask.id:
            return
        if not answer.again:
            self._is_limited = answer.limited
            for request_id in self._ask.calls:
                if request_id in self._counted:
                    self._counted.remove(request_id)
        self._ask, self._answer = None, answer
        self._answered.set()

    def _put(self) -> None:
        """Ask; the newest question is the one that is answered."""
        self._answered.clear()
        self._ask = BudgetAsk(id=uuid.uuid4().hex, calls=list(self._counted))
        self._send(self._ask)

    async def _permission(self) -> None:
        try:
            async with asyncio.timeout(self._answer_seconds):
                while (answer := await self._ask_once()).again:
                    await asyncio.sleep(AGAIN_SECONDS)
        except TimeoutError as error:
            words = "The platform does not say whether the budget allows this call. Try again."
            raise Exceeded(words, permanent=False) from error
        if answer.refused:
            raise Exceeded(answer.refused)

    async def _ask_once(self) -> Budget:
        self._put()
        await self._answered.wait()
        assert self._answer is not None, "it is set before the event"
        return self._answer
