"""A call that was counted as the most it may cost, for others did not wait, is corrected by what it cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from sidecar.gate.models import Limits
from sidecar.protocol.messages import Counted
from tests.sidecar.gate.boxside import fake_side
from tests.sidecar.gate.chat import CHAT, END, delta
from tests.sidecar.gate.provider import Reply, stream
from tests.sidecar.gate.test_counted import bounded, until

FOR_NOW: dict[str, tuple[Callable[[asyncio.Event], Reply], float, list[tuple[int, bool]]]] = {
    "told in the end": (lambda on: stream(delta("one"), on, delta("two"), END), 20.0, [(3, False)]),
    "never told": (lambda on: stream(delta("one"), asyncio.Event()), 0.05, []),
    "nothing but an error": (lambda on: stream(b": begun\n\n", on, end="cut"), 20.0, [(0, False)]),
}


@pytest.mark.parametrize("name", FOR_NOW)
async def test_what_was_told_for_now_is_corrected_by_what_it_was(name: str) -> None:
    replies, seconds, corrections = FOR_NOW[name]
    goes_on = asyncio.Event()
    reply = replies(goes_on)
    async with fake_side("openai-chat", reply, limits=Limits(read_on_seconds=seconds)) as (_, side, client):
        body = bounded(max_tokens=50)
        async with client.stream("POST", CHAT, content=body) as answer:
            await anext(answer.aiter_raw())
            (call,) = side.gate._calls
        await call.left.wait()
        call._bill.tell_for_now()
        call._bill.tell_for_now()
        assert [(usage.output, usage.estimated, usage.corrects) for usage in side.usage] == [(50, True, None)]
        goes_on.set()
        await until(lambda: not side.gate._calls)
        assert [(usage.output, usage.estimated) for usage in side.usage[1:]] == corrections
        assert len({usage.request_id for usage in side.usage}) == 1
        for usage in side.usage[1:]:
            assert usage.corrects == Counted(input=side.usage[0].input, output=50)
