"""The HTTP client against servers that may be anything: every answer ends, in time and in bounds."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from sidecar.agents.opencode import client as client_module
from sidecar.agents.opencode.client import Client, Refused, Unreachable
from tests.fakes.no_box import NoBox

Serve = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Direct(NoBox):
    """A box whose ports are this machine's."""

    async def connect(self, port: int, /) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", port)


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[Client]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await serve(head, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with listener:
        yield Client(Direct(), listener.sockets[0].getsockname()[1], "pass")


def answering(raw: bytes) -> Serve:
    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return serve


def ok(body: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + headers + b"content-length: %d\r\n\r\n" % len(body) + body


async def test_an_answer_is_decoded() -> None:
    async with serving(answering(ok(b'{"a": [1]}'))) as client:
        assert await client.get("/x") == {"a": [1]}


async def test_a_request_carries_the_password_and_the_body() -> None:
    heads = []

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with serving(serve) as client:
        assert await client.post("/session", {"a": "\ud83d"}) is None
    assert heads[0].startswith(b"POST /session HTTP/1.1\r\n")
    assert b"Basic " + base64.b64encode(b"opencode:pass") in heads[0]
    assert b"Content-Length: 15\r\n" in heads[0]


async def test_an_answer_in_chunks_is_whole() -> None:
    raw = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n[1, \r\n2\r\n2]\r\n0\r\n\r\n"
    async with serving(answering(raw)) as client:
        assert await client.get("/x") == [1, 2]


async def test_a_refusal_carries_its_status() -> None:
    raw = b'HTTP/1.1 404 Not Found\r\ncontent-length: 13\r\n\r\n{"name": "x"}'
    async with serving(answering(raw)) as client:
        with pytest.raises(Refused) as caught:
            await client.get("/x")
    assert caught.value.status == 404
    assert caught.value.answer == {"name": "x"}


@pytest.mark.parametrize("body", [b"not json", b"\xff\xfe", b"[" * 200_000, b""])
async def test_what_is_not_json_is_nothing(body: bytes) -> None:
    async with serving(answering(ok(body))) as client:
        assert await client.get("/x") is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n",
    ],
    ids=["nothing", "another protocol", "cut", "negative", "bad chunk", "long header"],
)
async def test_what_is_not_http_is_unreachable(raw: bytes) -> None:
    async with serving(answering(raw)) as client:
        with pytest.raises(Unreachable):
            await client.get("/x", seconds=5)


async def test_silence_ends_in_time() -> None:
    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with serving(serve) as client:
        with pytest.raises(Unreachable):
            await client.get("/x", seconds=0.1)
        # The server's side of the connection ends with ours, not with its sleep.
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


async def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_ANSWER_BYTES", 100_000)

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 10_000)
            await writer.drain()

    async with serving(serve) as client:
        with pytest.raises(Unreachable):
            await client.get("/x")


async def test_no_connection_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        await Client(NoBox(), 1, "pass").get("/x")
    with pytest.raises(Unreachable):
        await anext(Client(NoBox(), 1, "pass").events())


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


async def test_events_come_one_by_one_however_they_are_cut() -> None:
    events = ('{"type":"a"}', '{"type":"b","text":"ü"}', "[1]", "nonsense")
    lines = b": a comment\n\n" + "".join(f"data: {event}\n\n" for event in events).encode()

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM)
        for at in range(len(lines)):
            writer.write(lines[at : at + 1])
            await writer.drain()

    async with serving(serve) as client:
        found = []
        with pytest.raises(Unreachable):
            async for event in client.events():
                found.append(event)
    assert found == [{"type": "a"}, {"type": "b", "text": "ü"}]


async def test_an_event_that_is_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_EVENT_BYTES", 1000)
    long = json.dumps({"type": "long", "text": "x" * 500_000}).encode()
    raw = STREAM + b"data: " + long + b"\n\n" + b'data: {"type":"short"}\n\n'
    async with serving(answering(raw)) as client:
        found = []
        with pytest.raises(Unreachable):
            async for event in client.events():
                found.append(event)
    assert found == [{"type": "short"}]


async def test_a_stream_without_a_heartbeat_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + b'data: {"type":"a"}\n\n')
        await writer.drain()
        await asyncio.sleep(30)

    async with serving(serve) as client:
        events = client.events()
        assert await anext(events) == {"type": "a"}
        monkeypatch.setattr(client_module, "HEARTBEAT_SECONDS", 0.2)
        with pytest.raises(Unreachable):
            await anext(events)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


async def test_a_refused_stream_says_so() -> None:
    async with serving(answering(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")) as client:
        with pytest.raises(Refused):
            await anext(client.events())
