"""Whether a call may begin: asked along the way while nothing binds, one at a time as soon as it does."""

from __future__ import annotations

import asyncio

import pytest

from sidecar.gate.allowance import Allowance, Exceeded
from sidecar.protocol.budget import BUDGET_VERSION, CORRECTION_VERSION, Budget, BudgetAsk, Reserve


class Platform:
    """Answers questions of one sidecar: `left` calls more may begin, and `stored` calls are known."""

    def __init__(self, *, left: int = 0, limited: bool = True, answer_seconds: float = 20.0) -> None:
        self.left = left
        self.limited = limited
        self.is_silent = False
        self.stored: set[str] = set()
        self.settled: set[str] = set()
        self.asks: list[BudgetAsk] = []
        self.allowance = Allowance(self.take, answer_seconds=answer_seconds)
        self.allowance.link_up(CORRECTION_VERSION)
        self.fits = False

    def take(self, ask: BudgetAsk) -> None:
        self.asks.append(ask)
        if not self.is_silent:
            asyncio.get_running_loop().call_soon(self.answer, ask)

    def answer(self, ask: BudgetAsk) -> None:
        again = not (set(ask.calls) <= self.stored and set(ask.corrected) <= self.settled)
        refused = "" if self.left > 0 or not self.limited else "Nothing is left."
        self.allowance.receive(
            Budget(
                id=ask.id,
                again=again,
                limited=True if again else self.limited,
                refused=refused,
                fits=self.fits and ask.reserve is not None,
            )
        )


class LeftCall:
    """A call that its box has left."""

    most = Reserve(model="m", input=1, output=2)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.is_told = False

    def tell_for_now(self) -> None:
        self.is_told = True
        self._platform.allowance.counted("most")
        self._platform.stored.add("most")


async def test_nothing_waits_while_nothing_binds() -> None:
    platform = Platform(limited=False)
    platform.is_silent = True
    async with platform.allowance.call(), platform.allowance.call():
        assert len(platform.asks) == 2


async def test_a_budget_that_is_new_binds_from_the_next_call_on() -> None:
    platform = Platform(left=0)
    async with platform.allowance.call():
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(Exceeded, match="Nothing is left") as exceeded:
        async with platform.allowance.call():
            raise AssertionError("it began")
    assert exceeded.value.permanent


async def test_a_claim_that_tells_of_a_budget_binds_the_first_call() -> None:
    platform = Platform(left=0)
    platform.allowance.claim(is_limited=True)
    with pytest.raises(Exceeded):
        async with platform.allowance.call():
            raise AssertionError("it began")


async def test_calls_under_a_budget_come_one_after_the_other() -> None:
    platform = Platform(left=9)
    platform.allowance.claim(is_limited=True)
    open_calls = most = 0

    async def call() -> None:
        nonlocal open_calls, most
        async with platform.allowance.call():
            open_calls += 1
            most = max(most, open_calls)
            await asyncio.sleep(0.001)
            open_calls -= 1

    await asyncio.gather(*(call() for _ in range(8)))
    assert most == 1


async def test_the_next_call_waits_until_the_one_before_is_stored() -> None:
    platform = Platform(left=1)
    platform.allowance.claim(is_limited=True)
    async with platform.allowance.call():
        platform.allowance.counted("r1")

    async def next_call() -> None:
        async with platform.allowance.call():
            raise AssertionError("it began")

    waiting = asyncio.create_task(next_call())
    while len(platform.asks) < 3:
        await asyncio.sleep(0.01)
    assert not waiting.done()
    platform.left, platform.stored = 0, {"r1"}
    with pytest.raises(Exceeded, match="Nothing is left"):
        await waiting
    assert platform.asks[-1].calls == ["r1"]


async def test_a_platform_that_says_nothing_allows_nothing() -> None:
    platform = Platform(left=1, answer_seconds=0.01)
    platform.allowance.claim(is_limited=True)
    platform.is_silent = True
    with pytest.raises(Exceeded) as exceeded:
        async with platform.allowance.call():
            raise AssertionError("it began")
    assert not exceeded.value.permanent


async def test_what_a_cut_link_lost_is_asked_again_on_the_next_one() -> None:
    platform = Platform(left=1)
    platform.allowance.claim(is_limited=True)
    platform.is_silent = True
    entered = asyncio.Event()

    async def call() -> None:
        async with platform.allowance.call():
            entered.set()

    waiting = asyncio.create_task(call())
    while not platform.asks:
        await asyncio.sleep(0)
    platform.allowance.receive(Budget(id="of-nobody"))
    await asyncio.sleep(0.01)
    assert not entered.is_set(), "an answer to another question counts for nothing"
    (again,) = platform.allowance.link_up(BUDGET_VERSION)
    platform.answer(again)
    await waiting
    assert entered.is_set()


@pytest.mark.parametrize("is_left_first", [True, False])
async def test_the_next_call_does_not_wait_for_one_that_its_box_has_left_if_its_most_would_fit(
    is_left_first: bool,
) -> None:
    platform = Platform(left=9)
    platform.allowance.claim(is_limited=True)
    platform.fits = True
    left, begun = LeftCall(platform), asyncio.Event()

    async def next_call() -> None:
        async with platform.allowance.call():
            begun.set()

    async with platform.allowance.call() as permit, asyncio.timeout(5):
        assert permit is not None
        if is_left_first:
            permit.left(left)
        waiting = asyncio.create_task(next_call())
        if not is_left_first:
            await asyncio.sleep(0)
            assert not begun.is_set()
            permit.left(left)
        await begun.wait()
    await waiting
    assert left.is_told and platform.asks[-1].calls == ["most"], "it was counted before the next one began"
    assert [ask.reserve for ask in platform.asks if ask.reserve] == [LeftCall.most]
    async with platform.allowance.call():
        """Given back once."""


async def test_no_call_is_refused_for_what_a_correction_on_its_way_takes_back() -> None:
    platform = Platform(left=9)
    platform.allowance.claim(is_limited=True)
    platform.fits = True
    left, begun = LeftCall(platform), asyncio.Event()

    async def next_call() -> None:
        async with platform.allowance.call():
            begun.set()

    async with asyncio.timeout(20):
        async with platform.allowance.call() as permit:
            assert permit is not None
            # Others have spent the rest meanwhile.
            platform.left = 0
            permit.left(left)
            waiting = asyncio.create_task(next_call())
            while not (left.is_told and platform.asks[-1].reserve is None):
                await asyncio.sleep(0)
            platform.allowance.counted("most", corrects=True)
        while not waiting.done() and not any(ask.corrected for ask in platform.asks):
            await asyncio.sleep(0)
        assert not waiting.done(), "the estimate is still stored, and not what corrects it"
        platform.left = 1
        platform.settled.add("most")
        await waiting
    assert begun.is_set() and platform.asks[-1].corrected == ["most"]
    async with platform.allowance.call():
        assert platform.asks[-1].corrected == [], "asked about until it is stored"


@pytest.mark.parametrize("version", [BUDGET_VERSION, CORRECTION_VERSION])
async def test_it_waits_if_it_would_not_fit_or_the_platform_cannot_say(version: int) -> None:
    platform = Platform(left=9)
    platform.allowance.claim(is_limited=True)
    platform.allowance.link_up(version)
    platform.fits = version < CORRECTION_VERSION
    left, begun = LeftCall(platform), asyncio.Event()

    async def next_call() -> None:
        async with platform.allowance.call():
            begun.set()

    async with platform.allowance.call() as permit:
        assert permit is not None
        permit.left(left)
        waiting = asyncio.create_task(next_call())
        await asyncio.sleep(0.05)
        assert not begun.is_set() and not left.is_told
    async with asyncio.timeout(5):
        await waiting


async def test_an_older_platform_is_not_asked() -> None:
    platform = Platform(left=0)
    assert platform.allowance.link_up(BUDGET_VERSION - 1) == []
    async with platform.allowance.call():
        assert platform.asks == []
