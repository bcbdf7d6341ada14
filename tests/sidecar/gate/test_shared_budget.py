"""A budget that sessions share, at real gates: whatever the boxes do, each passes it by one call at most."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
import pytest

from sidecar.gate.allowance import Allowance
from sidecar.gate.models import Limits
from sidecar.protocol.budget import CORRECTION_VERSION, Budget, BudgetAsk
from sidecar.protocol.frames import Provider
from sidecar.protocol.messages import Usage
from tests.sidecar.gate.boxside import agent, box_side, provider
from tests.sidecar.gate.chat import CHAT, DONE, STOP, delta
from tests.sidecar.gate.provider import Reply, fake_provider, stream

SESSIONS, LIMIT, ASKED = 4, 2000, 60
BODY = b'{"model":"m","stream":true,"max_tokens":%d,"stream_options":{"include_usage":true}}' % ASKED
ONE_CALL = len(BODY) + ASKED
"""The most that one of these calls may cost."""


class Platform:
    """Stores what is counted a moment later than it is told, and answers by what is stored."""

    def __init__(self) -> None:
        self.stored: dict[str, int] = {}
        self.spent = self.corrected = 0
        self.settled: set[str] = set()
        self.has_estimate = asyncio.Event()

    def count(self, usage: Usage) -> None:
        self.spent += usage.input + usage.output
        if usage.corrects is not None:
            self.spent -= usage.corrects.input + usage.corrects.output
            self.corrected += 1
        if usage.estimated:
            self.has_estimate.set()
        later = random.Random(usage.request_id).random() / 50
        asyncio.get_running_loop().call_later(later, self.store, usage)

    def store(self, usage: Usage) -> None:
        self.stored[usage.request_id] = usage.input + usage.output
        if usage.corrects is not None:
            self.settled.add(usage.request_id)

    def answer(self, allowance: Allowance, ask: BudgetAsk) -> None:
        again = not (set(ask.calls) <= self.stored.keys() and set(ask.corrected) <= self.settled)
        refused = "Nothing is left." if sum(self.stored.values()) >= LIMIT else ""
        most = ask.reserve.input + ask.reserve.output if ask.reserve else LIMIT
        fits = sum(self.stored.values()) + most < LIMIT
        allowance.receive(Budget(id=ask.id, limited=True, again=again, refused=refused, fits=fits))


def allowance_of(platform: Platform) -> Allowance:
    def send(ask: BudgetAsk) -> None:
        asyncio.get_running_loop().call_soon(platform.answer, made, ask)

    made = Allowance(send)
    made.link_up(CORRECTION_VERSION)
    made.claim(is_limited=True)
    return made


async def spend(client: httpx2.AsyncClient, *, breaks_off: bool) -> None:
    """Call again and again until it is refused."""
    while True:
        async with client.stream("POST", CHAT, content=BODY) as answer:
            if answer.status_code == 402:
                return
            if breaks_off:
                await anext(answer.aiter_raw())
            else:
                await answer.aread()


def told(read: int, written: int) -> bytes:
    usage = b'{"choices":[],"usage":{"prompt_tokens":%d,"completion_tokens":%d}}' % (read, written)
    return b"data: " + usage + b"\n\n"


def reply(name: str, platform: Platform) -> Reply:
    """What the provider says: late is after somebody could not wait for it."""
    if name == "told late":
        return stream(delta("one"), platform.has_estimate, delta("two"), STOP, told(30, 20), DONE)
    if name == "never told":
        return stream(delta("one"), asyncio.Event())
    return stream(delta("one"), 0.002, delta("two"), STOP, told(40, 30), DONE)


@asynccontextmanager
async def session(
    platform: Platform, served: Provider, read_on_seconds: float
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client in the box of one more session that the budget binds."""
    allowance = allowance_of(platform)

    def counted(usage: Usage) -> None:
        platform.count(usage)
        allowance.counted(usage.request_id, corrects=usage.corrects is not None and not usage.estimated)

    limits = Limits(read_on_seconds=read_on_seconds)
    async with (
        box_side(served, limits=limits, allowed=allowance.call, on_usage=counted) as side,
        agent(side) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("name", "breaks_off"), [("told", False), ("told", True), ("told late", True), ("never told", True)]
)
async def test_a_shared_budget_is_passed_by_one_call_of_each_session_at_most(
    name: str, breaks_off: bool
) -> None:
    platform = Platform()
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(fake_provider(reply(name, platform)))
        served = provider("openai-chat", f"{upstream.url}/v1")
        patience = 20.0 if name == "told late" else 0.02
        boxes = [
            await stack.enter_async_context(session(platform, served, patience)) for _ in range(SESSIONS)
        ]
        # Three at once in each box: under a budget they come one after the other.
        async with asyncio.timeout(20):
            await asyncio.gather(*(spend(box, breaks_off=breaks_off) for box in boxes for _ in range(3)))
        assert platform.spent < LIMIT + SESSIONS * ONE_CALL
        assert platform.spent >= LIMIT or platform.corrected, "what was counted for now may have been less"
        assert platform.corrected or name != "told late", "nobody waited for what goes on unread"
        assert len(platform.stored) == len(upstream.received), "what went up is counted"
