"""What a call is counted as: the provider's numbers, whoever breaks off; without any, never too little."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress

import httpx2
import pytest

from sidecar.gate.asked import MOST_INPUT, MOST_OUTPUT
from sidecar.gate.models import Limits
from tests.sidecar.gate.boxside import BoxSide, fake_side
from tests.sidecar.gate.chat import BODY, CHAT, DONE, ENCODED, END, HEAD, MESSAGE_START, STOP, delta
from tests.sidecar.gate.provider import Reply, stream, whole

BROKEN = (httpx2.RemoteProtocolError, httpx2.ReadError)


def bounded(**fields: object) -> bytes:
    return json.dumps({**BODY, **fields}).encode()


async def until(look: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not look():
            await asyncio.sleep(0.005)


async def leave_at(client: httpx2.AsyncClient, said: bytes, body: bytes = ENCODED) -> None:
    """A call that the box breaks off as soon as it has read this."""
    async with client.stream("POST", CHAT, content=body) as answer:
        assert await anext(answer.aiter_raw()) == said


def counted(side: BoxSide) -> list[tuple[int, int, bool]]:
    return [(usage.input, usage.output, usage.estimated) for usage in side.usage]


# --- calls that the box breaks off


async def test_a_call_that_the_box_breaks_off_is_read_to_its_numbers() -> None:
    goes_on = asyncio.Event()
    async with fake_side("openai-chat", stream(delta("one"), goes_on, delta("two"), END)) as (
        _,
        side,
        client,
    ):
        await leave_at(client, delta("one"))
        assert side.usage == []
        goes_on.set()
        await until(lambda: side.usage)
        assert counted(side) == [(7, 3, False)]
        assert side.errors == []


async def test_one_that_is_broken_off_before_its_answer_is_read_to_its_numbers() -> None:
    goes_on = asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        await goes_on.wait()
        await stream(delta("one"), END)(writer)

    async with fake_side("openai-chat", late) as (upstream, side, _):
        _, writer = await asyncio.open_connection("127.0.0.1", side.port)
        writer.write(HEAD + ENCODED)
        await until(lambda: upstream.received and upstream.received[0].body)
        writer.transport.abort()
        goes_on.set()
        await until(lambda: side.usage)
        assert counted(side) == [(7, 3, False)]


async def test_a_provider_that_fails_when_the_box_has_left_ends_no_turn() -> None:
    goes_on = asyncio.Event()
    reply = stream(delta("one"), goes_on, b"data: {garbage\n\n", end="cut")
    async with fake_side("openai-chat", reply) as (_, side, client):
        await leave_at(client, delta("one"))
        (call,) = side.gate._calls
        await call.left.wait()
        goes_on.set()
        await until(lambda: side.usage)
        assert side.errors == []


NAMED = [
    ({"max_tokens": 50}, 50),
    ({"max_tokens": 50, "n": 3}, 150),
    ({}, MOST_OUTPUT),
    ({"max_tokens": 10**9}, MOST_OUTPUT),
    # Limits that this provider may overlook are none, and what is no number bounds nothing.
    (
        {"max_completion_tokens": 1, "max_output_tokens": 1, "generationConfig": {"maxOutputTokens": 1}},
        MOST_OUTPUT,
    ),
    ({"max_tokens": 1, "max_completion_tokens": 60}, 60),
    ({"max_tokens": 50, "max_completion_tokens": None}, 50),
    ({"max_tokens": 50, "max_completion_tokens": "60"}, MOST_OUTPUT),
    ({"max_tokens": "50", "n": -4}, MOST_OUTPUT),
    ({"max_tokens": [[[[1]]]], "n": True}, MOST_OUTPUT),
]


@pytest.mark.parametrize(("fields", "most"), NAMED)
async def test_numbers_that_never_come_are_the_most_that_was_asked_for(
    fields: dict[str, object], most: int
) -> None:
    limits = Limits(read_on_seconds=0.05)
    reply = stream(delta("one"), asyncio.Event())
    async with fake_side("openai-chat", reply, limits=limits) as (upstream, side, client):
        body = bounded(**fields)
        await leave_at(client, delta("one"), body)
        await until(lambda: side.usage)
        assert counted(side) == [(len(upstream.received[0].body), most, True)]
        assert side.usage[0].model == "m"


async def test_what_a_provider_tells_in_between_is_the_least() -> None:
    limits = Limits(read_on_seconds=0.05)
    async with fake_side("anthropic", stream(MESSAGE_START, asyncio.Event()), limits=limits) as (
        _,
        side,
        client,
    ):
        async with client.stream("POST", "/anthropic/v1/messages", json={**BODY, "max_tokens": 40}) as answer:
            assert await anext(answer.aiter_raw()) == MESSAGE_START
        await until(lambda: side.usage)
        (usage,) = side.usage
        assert (usage.input, usage.cached, usage.output, usage.estimated) == (100, 10, 40, True)
        assert usage.model == "claude"


async def test_a_gate_that_closes_counts_what_is_under_way() -> None:
    async with fake_side("openai-chat", stream(delta("one"), asyncio.Event())) as (_, side, client):
        with pytest.raises(BROKEN):
            async with client.stream("POST", CHAT, content=bounded(max_tokens=9)) as answer:
                pieces = answer.aiter_raw()
                await anext(pieces)
                await side.gate.close()
                await anext(pieces)
        assert [usage.output for usage in side.usage] == [9]


async def test_a_long_body_counts_as_no_more_than_a_model_takes() -> None:
    limits = Limits(read_on_seconds=0)
    async with fake_side("openai-chat", stream(delta("one"), asyncio.Event()), limits=limits) as (
        _,
        side,
        client,
    ):
        await leave_at(client, delta("one"), bounded(messages=["x" * 1_500_000]))
        await until(lambda: side.usage)
        assert side.usage[0].input == MOST_INPUT


# --- calls that the provider breaks off, or tells nothing of


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


SILENT = Limits(idle_seconds=1.0)
ENDS: dict[str, tuple[Reply, list[tuple[int, int, bool]]]] = {
    "all told": (stream(delta("hello"), END), [(7, 3, False)]),
    "never told": (stream(delta("hello"), STOP, DONE), [(len(ENCODED), 9, True)]),
    "cut before its numbers": (stream(delta("hello"), end="cut"), [(len(ENCODED), 5, True)]),
    "cut at once": (stream(end="cut"), []),
    "silent at once": (stream(asyncio.Event()), []),
    "silent in the midst": (stream(delta("hello"), asyncio.Event()), [(len(ENCODED), 5, True)]),
    "an error at once": (stream(event(error={"message": "busy"})), []),
    "an error in the midst": (
        stream(delta("hello"), event(error={"message": "busy"})),
        [(len(ENCODED), 5, True)],
    ),
    "an error in place of an answer": (whole(500, b'{"error":{"message":"busy"}}'), []),
    "one event that is too long": (
        stream(delta("hello"), delta("x" * 9_000_000), STOP, DONE),
        [(len(ENCODED), MOST_OUTPUT, True)],
    ),
}


@pytest.mark.parametrize("name", ENDS)
async def test_an_answer_without_numbers_counts_as_what_it_said(name: str) -> None:
    reply, expected = ENDS[name]
    # Others are not silent because the machine is busy.
    limits = SILENT if name.startswith("silent") else Limits()
    async with fake_side("openai-chat", reply, limits=limits) as (upstream, side, client):
        with suppress(*BROKEN):
            await client.post(CHAT, content=ENCODED)
        grown = len(upstream.received[0].body) - len(ENCODED)
        asked_for_usage = [
            (read + grown if told else read, written, told) for read, written, told in expected
        ]
        assert counted(side) == asked_for_usage


ONE_PIECE = b'{"model":"m","max_tokens":77}'


async def test_an_answer_in_one_piece_that_does_not_come_counts_as_the_most() -> None:
    """The model may have been writing all the while."""

    async def nothing(writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with fake_side("openai-chat", nothing, limits=SILENT) as (_, side, client):
        assert (await client.post(CHAT, content=ONE_PIECE)).status_code == 504
        assert [usage.output for usage in side.usage] == [77]


async def test_an_answer_in_one_piece_that_is_too_long_to_be_read_is_refused_and_counted() -> None:
    told = {
        "choices": [{"message": {"content": "x" * 9_000_000}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    }
    async with fake_side("openai-chat", whole(200, json.dumps(told).encode())) as (_, side, client):
        with pytest.raises(BROKEN):
            await client.post(CHAT, content=ONE_PIECE)
        assert counted(side) == [(len(ONE_PIECE), 77, True)]
        assert "longer than the limit" in side.errors[0].message


# --- many at once


async def test_parallel_calls_with_cuts_retries_and_leaving_boxes_sum_up_to_the_providers_numbers() -> None:
    """Each call that the provider made to its end is counted once, as the provider told it."""
    calls = 24
    told: list[tuple[int, int]] = []

    async def busy(writer: asyncio.StreamWriter) -> None:
        await whole(503, b'{"error":{"message":"busy"}}', "retry-after: 0")(writer)

    def numbered(number: int) -> Reply:
        usage = event(choices=[], usage={"prompt_tokens": 100 + number, "completion_tokens": number})

        async def reply(writer: asyncio.StreamWriter) -> None:
            told.append((100 + number, number))
            await stream(delta("one"), 0.005, delta("two"), STOP, usage, DONE)(writer)

        return reply

    replies = [reply for number in range(calls) for reply in (numbered(number), busy)]
    async with fake_side("openai-chat", *replies) as (_, side, client):

        async def call(number: int) -> None:
            if number % 3 == 0:
                async with client.stream("POST", CHAT, content=ENCODED) as answer:
                    await anext(answer.aiter_raw())
            else:
                await client.post(CHAT, content=ENCODED)

        await asyncio.gather(*(call(number) for number in range(2 * calls)))
        await until(lambda: len(side.usage) == len(told) == calls)
        assert sorted((usage.input, usage.output) for usage in side.usage) == sorted(told)
        assert not any(usage.estimated for usage in side.usage)
        assert len({usage.request_id for usage in side.usage}) == calls


async def test_a_call_belongs_to_the_turn_in_which_it_began() -> None:
    goes_on, turns = asyncio.Event(), ["first"]
    reply = stream(delta("one"), goes_on, END)
    async with fake_side("openai-chat", reply, turn=lambda: turns[-1]) as (_, side, client):
        await leave_at(client, delta("one"))
        turns.append("second")
        goes_on.set()
        await until(lambda: side.usage)
        assert side.turns == ["first"]


async def test_what_the_box_says_of_usage_counts_for_nothing() -> None:
    forged = {"usage": {"prompt_tokens": 0, "completion_tokens": 0}, "model": "cheap", "usageMetadata": {}}
    headers = {"x-usage": "0", "openai-processing-ms": "0", "x-openagent-estimated": "true"}
    async with fake_side("openai-chat", stream(delta("hello"), END)) as (_, side, client):
        await client.post(CHAT, json={**BODY, **forged}, headers=headers)
        assert counted(side) == [(7, 3, False)]
        assert side.usage[0].model == "m"
