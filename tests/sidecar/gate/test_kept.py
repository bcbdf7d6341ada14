"""One connection of the box carries one call after another, whatever became of the one before."""

from __future__ import annotations

from sidecar.gate.models import KeyUnavailable
from tests.sidecar.gate.boxside import fake_side
from tests.sidecar.gate.chat import COMPLETE, ENCODED, HEAD


async def test_requests_sent_at_once_are_answered_in_turn() -> None:
    async with fake_side("openai-chat", COMPLETE) as (_, side, _):
        answer = await side.bytes((HEAD + ENCODED) * 3)
        assert answer.count(b"HTTP/1.1 200") == 3
        assert len(side.usage) == 3


async def test_a_missing_key_does_not_break_the_connection() -> None:
    async with fake_side("openai-chat", COMPLETE, key=KeyUnavailable("none")) as (_, side, _):
        assert (await side.bytes((HEAD + ENCODED) * 2)).count(b"HTTP/1.1 401") == 2
