"""What ends a call whatever the provider does: a revoked key, its time, the size of its answer."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from sidecar.gate.models import Limits
from tests.sidecar.gate.boxside import BoxSide, fake_side
from tests.sidecar.gate.chat import BODY, CHAT, COMPLETE, USAGE, delta
from tests.sidecar.gate.provider import FakeProvider, stream


async def cut(client: httpx2.AsyncClient, *, by: asyncio.Event | None = None) -> None:
    """A streaming call that begins and is cut; `by` is set when its first piece is there."""
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        async with client.stream("POST", CHAT, json=BODY) as answer:
            assert answer.status_code == 200
            async for _ in answer.aiter_raw():
                if by is not None:
                    by.set()


async def closed(upstream: FakeProvider) -> None:
    async with asyncio.timeout(5):
        await upstream.received[0].closed.wait()


def told(side: BoxSide) -> list[tuple[str, str]]:
    return [(error.error_class, error.message) for error in side.errors]


async def test_a_revoked_key_ends_the_answer_that_is_coming_and_what_it_cost_is_told_first() -> None:
    begun = asyncio.Event()
    reply = stream(USAGE + delta("one"), 60.0)
    async with fake_side("openai-chat", reply, COMPLETE) as (upstream, side, client):
        running = asyncio.create_task(cut(client, by=begun))
        await begun.wait()
        side.gate.key_revoked()
        # The provider would go on for longer.
        async with asyncio.timeout(20):
            await running
        await closed(upstream)
        assert side.usage[0].input == 7
        ((kind, words),) = told(side)
        assert kind == "key_missing" and "replaced or deleted" in words
        # Whoever asks again asks with whatever key there is then.
        assert (await client.post(CHAT, json=BODY)).status_code == 200


async def test_a_revoked_key_ends_a_call_that_has_no_answer_yet_so_that_it_is_made_again() -> None:
    async with fake_side("openai-chat", stream_of_nothing) as (upstream, side, client):
        running = asyncio.create_task(client.post(CHAT, json=BODY))
        async with asyncio.timeout(5):
            while not (upstream.received and upstream.received[0].body):
                await asyncio.sleep(0.01)
        side.gate.key_revoked()
        answer = await running
        assert answer.status_code == 503 and "replaced or deleted" in answer.text
        await closed(upstream)


async def stream_of_nothing(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def test_a_call_has_its_time_also_when_the_provider_never_falls_silent() -> None:
    drops = [piece for _ in range(200) for piece in (delta("x"), 0.02)]
    limits = Limits(call_seconds=1.0)
    async with fake_side("openai-chat", stream(*drops), limits=limits) as (upstream, side, client):
        await cut(client)
        await closed(upstream)
        ((kind, words),) = told(side)
        assert kind == "provider_unavailable" and "after 1 seconds" in words


async def test_a_call_that_is_never_answered_has_its_time_too() -> None:
    limits = Limits(call_seconds=0.3)
    async with fake_side("openai-chat", stream_of_nothing, limits=limits) as (_, _, client):
        answer = await client.post(CHAT, json=BODY)
        assert answer.status_code == 504 and "0.3 seconds" in answer.text


async def test_an_answer_has_its_size() -> None:
    limits = Limits(answer_bytes=2000)
    reply = stream(USAGE, *[delta("x" * 100)] * 50, 60.0)
    async with fake_side("openai-chat", reply, limits=limits) as (upstream, side, client):
        await cut(client)
        await closed(upstream)
        assert side.usage[0].input == 7
        assert [kind for kind, _ in told(side)] == ["provider_bad_response"]
