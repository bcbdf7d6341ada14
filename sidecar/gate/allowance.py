"""Whether one more model call may begin, by what the platform says is left.

While nothing binds the session a call never waits: the question goes along with it, and its answer counts for
the next one. As soon as a budget binds it there is one call at a time, and each begins when the platform has
stored what the ones before it cost and says that something is left. Of all sessions that share a budget
each passes it by one call at most.

A call that its box has left is read on for its numbers. The next one waits for these only if nothing would be
left should the call cost the most that it may: else that is told first, and corrected in the end.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from sidecar.protocol.budget import (
    BUDGET_VERSION,
    CORRECTION_VERSION,
    MAX_CALLS,
    Budget,
    BudgetAsk,
    Reserve,
)

ANSWER_SECONDS = 30.0
AGAIN_SECONDS = 0.05
FITS_SECONDS = 2.0
"""From one question whether something would be left to the next: others spend, or raise the budget."""


class Exceeded(Exception):
    """No call may begin; the message says why. `permanent`: not before somebody raises the budget."""

    def __init__(self, message: str, *, permanent: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent


class Left(Protocol):
    """A call that nobody reads any more, and that goes on for its numbers."""

    @property
    def most(self) -> Reserve:
        """What it may cost at most."""

    def tell_for_now(self) -> None:
        """Have that counted; what it costs in the end corrects it."""


class Permit:
    """Of one call under a budget; the next one begins when it is given back."""

    def __init__(self, give_back: Callable[[], None], on_left: Callable[[], None]) -> None:
        self.behind: Left | None = None
        self._give_back = give_back
        self._on_left = on_left
        self._is_held = True

    def left(self, call: Left) -> None:
        """The box has left the call."""
        self.behind = call
        self._on_left()

    def give_back(self) -> None:
        """May be repeated."""
        if self._is_held:
            self._is_held, self.behind = False, None
            self._give_back()


class Allowance:
    """What one session is allowed. `send` hands a frame to the link, which may lose it in a cut."""

    def __init__(self, send: Callable[[BudgetAsk], None], *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.is_asked = False
        self._send = send
        self._answer_seconds = answer_seconds
        self._is_limited = False
        self._counted: deque[str] = deque(maxlen=MAX_CALLS)
        self._corrected: deque[str] = deque(maxlen=MAX_CALLS)
        self._door = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._permit: Permit | None = None
        self._news = asyncio.Event()
        self._estimated: set[Permit] = set()
        self._settled = asyncio.Event()
        self._can_correct = False
        self._ask: BudgetAsk | None = None
        self._answered = asyncio.Event()
        self._answer: Budget | None = None

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Permit | None]:
        """Around a call: enters when it may begin. Exceeded when it may not, or nobody says that it may."""
        if not self.is_asked and not self._is_limited:
            yield None
            return
        if not self._is_limited:
            self._put()
            yield None
            return
        async with self._door:
            await self._make_way()
            await self._turn.acquire()
            permit = self._permit = Permit(self._free, self._news.set)
        try:
            await self._permission()
            yield permit
        finally:
            permit.give_back()
            self._estimated.discard(permit)
            self._settled.set()

    def _free(self) -> None:
        self._permit = None
        self._turn.release()
        self._news.set()

    async def _make_way(self) -> None:
        """Wait until no call is under way but one that was left, and is counted as the most it may cost."""
        while (permit := self._permit) is not None:
            self._news.clear()
            seconds = None
            if permit.behind is not None and self._can_correct:
                if await self._fits(permit.behind.most) and permit.behind is not None:
                    permit.behind.tell_for_now()
                    self._estimated.add(permit)
                    permit.give_back()
                    return
                seconds = FITS_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()

    async def _fits(self, most: Reserve) -> bool:
        try:
            async with asyncio.timeout(self._answer_seconds):
                while (answer := await self._ask_once(most)).again:
                    await asyncio.sleep(AGAIN_SECONDS)
        except TimeoutError:
            return False
        return answer.fits

    def claim(self, *, is_limited: bool) -> None:
        """Whether a budget binds the session, as its claim says; answers may tell otherwise later."""
        self._is_limited = is_limited

    def counted(self, request_id: str, *, corrects: bool = False) -> None:
        """A call was counted under this id: it has to be stored before the next one is allowed.

        `corrects`: in place of its estimate, which the platform may take for it until it is stored.
        """
        self._counted.append(request_id)
        if corrects:
            self._corrected.append(request_id)

    def link_up(self, version: int) -> list[BudgetAsk]:
        """A new connection of this version of the link: what to ask again on it."""
        self.is_asked = version >= BUDGET_VERSION
        self._can_correct = version >= CORRECTION_VERSION
        return [self._ask] if self.is_asked and self._ask is not None else []

    def receive(self, answer: Budget) -> None:
        """The platform answers; what answers no question is ignored."""
        if self._ask is None or answer.id != self._ask.id:
            return
        if not answer.again:
            self._is_limited = answer.limited
            _take_off(self._counted, self._ask.calls)
            _take_off(self._corrected, self._ask.corrected)
        self._ask, self._answer = None, answer
        self._answered.set()

    def _put(self, reserve: Reserve | None = None) -> None:
        """Ask; the newest question is the one that is answered."""
        self._answered.clear()
        calls, corrected = list(self._counted), list(self._corrected)
        self._ask = BudgetAsk(id=uuid.uuid4().hex, calls=calls, reserve=reserve, corrected=corrected)
        self._send(self._ask)

    async def _permission(self) -> None:
        while True:
            self._settled.clear()
            try:
                async with asyncio.timeout(self._answer_seconds):
                    while (answer := await self._ask_once()).again:
                        await asyncio.sleep(AGAIN_SECONDS)
            except TimeoutError as error:
                words = "The platform does not say whether the budget allows this call. Try again."
                raise Exceeded(words, permanent=False) from error
            if not answer.refused:
                return
            if not self._estimated and not self._settled.is_set():
                raise Exceeded(answer.refused)
            # What was counted for now is nearly always more than it is in the end, as may be known by now.
            await self._settled.wait()

    async def _ask_once(self, reserve: Reserve | None = None) -> Budget:
        self._put(reserve)
        await self._answered.wait()
        assert self._answer is not None, "it is set before the event"
        return self._answer


def _take_off(waiting: deque[str], stored: list[str]) -> None:
    for request_id in stored:
        if request_id in waiting:
            waiting.remove(request_id)
