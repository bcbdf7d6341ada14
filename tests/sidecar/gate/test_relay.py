"""How requests and answers flow through the gate: at once, both ways, as fast as the slower side."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Callable

import httpx2
import pytest

from sidecar.gate.models import Limits, ModelGate
from tests.sidecar.gate.boxside import KEY, box_side, fake_side, provider
from tests.sidecar.gate.chat import (
    BODY,
    CHAT,
    COMPLETE,
    DONE,
    ENCODED,
    END,
    HEAD,
    MESSAGE_START,
    SHORT,
    STOP,
    delta,
)
from tests.sidecar.gate.provider import stream, whole


async def until(condition: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await condition.wait()


async def eventually(look: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not look():
            await asyncio.sleep(0.01)


async def test_each_piece_arrives_before_the_next_is_sent() -> None:
    go_on = asyncio.Event()
    reply = stream(delta("first"), go_on, delta("second"), STOP, DONE)
    async with (
        fake_side("openai-chat", reply) as (_, _, client),
        client.stream("POST", CHAT, json=BODY) as answer,
    ):
        pieces = answer.aiter_raw()
        async with asyncio.timeout(5):
            assert await anext(pieces) == delta("first")
        go_on.set()
        assert b"".join([piece async for piece in pieces]) == delta("second") + STOP + DONE


async def test_a_request_goes_up_once_it_is_whole_and_says_what_it_is() -> None:
    async with fake_side("anthropic", whole(200, b"{}")) as (upstream, side, _):
        _, writer = await asyncio.open_connection("127.0.0.1", side.port)
        writer.write(
            b"POST /anthropic/v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
            b"content-type: multipart/form-data; boundary=x\r\n\r\n"
        )
        for half in (b'{"model":', b'"m"}'):
            assert upstream.connections == 0
            writer.write(b"%x\r\n%s\r\n" % (len(half), half))
            await asyncio.sleep(0.05)
        writer.write(b"0\r\n\r\n")
        await eventually(lambda: upstream.received)
        (request,) = upstream.received
        assert request.headers("content-type") == ["application/json"]
        assert request.headers("content-length") == ["13"]
        await eventually(lambda: request.body == b'{"model":"m"}')
        writer.close()


async def test_a_box_that_does_not_read_stops_the_provider() -> None:
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        line = delta("x" * 60_000)
        while sent < 200_000_000:
            writer.write(line)
            sent += len(line)
            await writer.drain()

    limits = Limits(read_on_seconds=0)
    async with fake_side("openai-chat", flood, limits=limits) as (upstream, side, _):
        _, writer = await asyncio.open_connection("127.0.0.1", side.port)
        writer.write(HEAD + ENCODED)
        before = -1
        async with asyncio.timeout(20):
            while before != sent or sent == 0:
                before = sent
                await asyncio.sleep(0.2)
        # What the sockets between the three hold, and no more.
        assert sent < 30_000_000
        writer.transport.abort()
        await until(upstream.received[0].closed)


@pytest.mark.parametrize("said", [b"", MESSAGE_START])
async def test_a_box_that_goes_away_ends_the_providers_call_after_a_while(said: bytes) -> None:
    for_ever = asyncio.Event()
    reply = stream(said, for_ever) if said else stream(for_ever)
    limits = Limits(read_on_seconds=0.1)
    async with fake_side("anthropic", reply, limits=limits) as (upstream, side, client):
        async with client.stream("POST", "/anthropic/v1/messages", json=BODY) as answer:
            if said:
                assert await anext(answer.aiter_raw()) == said
        await until(upstream.received[0].closed)
        assert side.errors == []


async def test_a_box_that_goes_away_before_the_answer_ends_the_call_too() -> None:
    arrived = asyncio.Event()

    async def nothing(writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.Event().wait()

    limits = Limits(read_on_seconds=0.1)
    async with fake_side("openai-chat", nothing, limits=limits) as (upstream, _, client):
        asking = asyncio.create_task(client.post(CHAT, json=BODY))
        await until(arrived)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await until(upstream.received[0].closed)


async def test_a_key_that_is_cut_over_two_pieces_is_taken_out_too() -> None:
    text = delta(f"your key is {KEY}, isn't it")
    for split in range(len(text) - 60, len(text), 7):
        reply = stream(text[:split], 0.02, text[split:], END)
        async with fake_side("openai-chat", reply) as (_, _, client):
            answer = await client.post(CHAT, json=BODY)
        assert answer.content == delta("your key is [hidden], isn't it") + END


async def test_a_compressed_answer_is_read_all_the_same() -> None:
    body = gzip.compress(delta("hello") + END)
    reply = whole(200, body, "content-encoding: gzip", kind="text/event-stream")
    async with fake_side("openai-chat", reply) as (upstream, side, client):
        answer = await client.post(CHAT, json=BODY)
        assert answer.content == delta("hello") + END
        assert side.usage[0].input == 7
        assert upstream.received[0].headers("accept-encoding") == ["identity"]


async def test_a_request_that_is_too_large_is_refused() -> None:
    limits = Limits(body_bytes=1000)
    for wire, target in (("openai-chat", CHAT), ("anthropic", "/anthropic/v1/messages")):
        async with fake_side(wire, COMPLETE, limits=limits) as (upstream, side, _):
            head = f"POST {target} HTTP/1.1\r\nhost: x\r\ncontent-length: 2000\r\n\r\n".encode()
            assert (await side.bytes(head + b"1" * 2000)).startswith(b"HTTP/1.1 413")
            assert upstream.received == [] or upstream.received[0].body == b""


async def test_bodies_that_are_read_whole_share_their_room() -> None:
    is_over, handled = asyncio.Event(), asyncio.Event()

    async def takes_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await is_over.wait()
        writer.close()
        handled.set()

    server = await asyncio.start_server(takes_nothing, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    large = b'{"model": "m", "messages": ["' + b"x" * 16_000_000 + b'"]}'
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(large)}\r\n\r\n".encode()
    limits = Limits(held_bytes=20_000_000, room_seconds=0.3)
    async with server, box_side(provider("openai-chat", url), limits=limits) as side:
        _, first = await asyncio.open_connection("127.0.0.1", side.port)
        first.write(head + large)
        async with asyncio.timeout(20):
            await first.drain()
            while first.transport.get_write_buffer_size():
                await asyncio.sleep(0.01)
        reader, second = await asyncio.open_connection("127.0.0.1", side.port)
        second.write(head + large)
        async with asyncio.timeout(20):
            assert (await reader.readline()).startswith(b"HTTP/1.1 503")
        assert "too much at once" in side.errors[0].message
        first.close()
        second.close()
        is_over.set()
        await until(handled)


async def test_the_room_of_a_body_that_is_sent_is_free_while_its_answer_comes() -> None:
    goes_on = asyncio.Event()
    limits = Limits(held_bytes=len(ENCODED), room_seconds=10)
    async with fake_side("openai-chat", stream(delta("one"), goes_on, END), limits=limits) as (_, _, client):
        async with asyncio.TaskGroup() as both:
            answers = [both.create_task(client.post(CHAT, content=ENCODED)) for _ in range(2)]
            await asyncio.sleep(0)
            async with client.stream("POST", CHAT, content=ENCODED) as third:
                assert await anext(third.aiter_raw()) == delta("one")
                goes_on.set()
        assert [answer.result().status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"\xff", b"[" * 100_000, b'"text"'])
async def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    async with fake_side("openai-chat", COMPLETE) as (upstream, side, _):
        head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        assert (await side.bytes(head + body)).startswith(b"HTTP/1.1 400")
        assert upstream.connections == 0


async def test_headers_without_end_are_refused() -> None:
    async with fake_side("openai-chat", COMPLETE) as (_, side, _):
        answer = await side.bytes(b"GET / HTTP/1.1\r\nx: " + b"a" * 200_000)
        assert b"431" in answer.split(b"\r\n")[0]


async def test_too_many_connections_are_refused() -> None:
    models = b"GET /groq/v1/models HTTP/1.1\r\nhost: x\r\n\r\n"
    async with fake_side("openai-chat", whole(200, b"{}"), limits=Limits(connections=2)) as (_, side, _):
        held = [await asyncio.open_connection("127.0.0.1", side.port) for _ in range(2)]
        async with asyncio.timeout(5):
            while not (await side.bytes(models)).startswith(b"HTTP/1.1 503"):
                pass
        for _, writer in held:
            writer.close()
        async with asyncio.timeout(5):
            while not (await side.bytes(models)).startswith(b"HTTP/1.1 200"):
                pass


async def test_a_key_that_does_not_come_is_not_waited_for_for_ever() -> None:
    async def never() -> str:
        await asyncio.Event().wait()
        return KEY

    served = provider("openai-chat", "http://127.0.0.1:1")
    gate = ModelGate(served, never, lambda usage, turn: None, limits=SHORT)
    server = await asyncio.start_server(gate.handle, "127.0.0.1", 0)
    async with server, httpx2.AsyncClient(trust_env=False) as client:
        port = server.sockets[0].getsockname()[1]
        answer = await client.post(f"http://127.0.0.1:{port}{CHAT}", json=BODY)
        assert answer.status_code == 503
        assert "has not arrived" in answer.json()["error"]["message"]
    await gate.close()


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "ключ", "tab\tkey"])
async def test_a_key_that_cannot_stand_in_a_header_is_refused_without_showing_it(key: str) -> None:
    async with fake_side("openai-chat", COMPLETE, key=key) as (upstream, side, client):
        answer = await client.post(CHAT, json=BODY)
        assert answer.status_code == 401
        assert upstream.connections == 0
        assert not key or key not in answer.text + repr(side.errors)


async def test_closing_the_gate_ends_what_is_open() -> None:
    async with fake_side("openai-chat", stream(delta("one"), 30.0)) as (upstream, side, client):
        started = time.monotonic()
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            async with client.stream("POST", CHAT, json=BODY) as answer:
                pieces = answer.aiter_raw()
                assert await anext(pieces) == delta("one")
                await side.gate.close()
                await anext(pieces)
        assert time.monotonic() - started < 15
        await until(upstream.received[0].closed)


async def test_closing_the_gate_does_not_wait_for_a_box_that_does_not_read() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(delta("x" * 60_000))
            await writer.drain()

    async with fake_side("openai-chat", flood) as (_, side, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
        writer.write(HEAD + ENCODED)
        await reader.readexactly(1)
        await asyncio.sleep(0.5)
        started = time.monotonic()
        await side.gate.close()
        assert time.monotonic() - started < 10
        writer.close()


async def test_an_old_client_gets_its_answer_too() -> None:
    async with fake_side("openai-chat", COMPLETE) as (_, side, _):
        answer = await side.bytes(HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + ENCODED)
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(delta("hello") + END)


async def test_header_values_pass_as_they_are() -> None:
    async with fake_side("openai-chat", COMPLETE) as (upstream, side, _):
        head = HEAD.replace(b"\r\n\r\n", b"\r\nx-title: caf\xe9\r\n\r\n")
        assert (await side.bytes(head + ENCODED)).startswith(b"HTTP/1.1 200")
        assert upstream.received[0].headers("x-title") == ["café"]
