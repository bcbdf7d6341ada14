"""What the box gets and what is reported when the provider fails, in every way that providers fail."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from sidecar.gate.models import Limits, ModelGate
from sidecar.gate.sse import EventReader
from tests import ports
from tests.sidecar.demo_model.asking import WIRES, Asking, by_name
from tests.sidecar.gate.boxside import KEY, NAMES, agent, box_side, fake_side, provider
from tests.sidecar.gate.chat import BODY, CHAT, COMPLETE, DONE, END, MESSAGE_START, SHORT, STOP, USAGE, delta
from tests.sidecar.gate.provider import Reply, fake_provider, raw, stream, whole

every_wire = pytest.mark.parametrize("asking", WIRES, ids=by_name)

BROKEN: dict[str, tuple[Reply, str]] = {
    "cut between events": (stream(delta("one"), end="cut"), "provider_bad_response"),
    "cut within an event": (stream(delta("one"), b'data: {"choi', end="cut"), "provider_bad_response"),
    "closed without an end": (stream(delta("one"), end="fin"), "provider_bad_response"),
    "ended too soon": (stream(delta("one")), "provider_bad_response"),
    "ended within an event": (stream(delta("one"), b'data: {"choi'), "provider_bad_response"),
    "silent": (stream(delta("one"), 30.0), "provider_unavailable"),
    "broken chunks": (
        raw(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            b"%x\r\n%s\r\nnonsense\r\n" % (len(delta("one")), delta("one"))
        ),
        "provider_bad_response",
    ),
}


def patience(name: str) -> Limits:
    """Short where the provider is silent; others are not silent because the machine is busy."""
    return SHORT if name in ("silent", "no answer") else Limits()


@pytest.mark.parametrize("name", sorted(BROKEN))
async def test_an_answer_that_breaks_off_is_never_taken_for_a_whole_one(name: str) -> None:
    reply, error_class = BROKEN[name]
    got = b""
    async with fake_side("openai-chat", reply, limits=patience(name)) as (_, side, client):
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            async with client.stream("POST", CHAT, json=BODY) as answer:
                async for piece in answer.aiter_raw():
                    got += piece
        assert got.startswith(delta("one")) or name in ("broken chunks", "cut within an event")
        assert [error.error_class for error in side.errors] == [error_class]
        assert "Groq" in side.errors[0].message


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


PAGE = b"<html>Sign in</html>"
LISTED = b'[{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}]'
FAILING: dict[str, tuple[Reply, int, str]] = {
    "web page": (whole(200, PAGE, kind="text/html; charset=utf-8"), 502, "provider_bad_response"),
    "no content": (raw(b"HTTP/1.1 204 No Content\r\n\r\n"), 502, "provider_bad_response"),
    "partial content": (whole(206, b"{}"), 502, "provider_bad_response"),
    "not modified": (raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"), 502, "provider_bad_response"),
    "not HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), 502, "provider_bad_response"),
    "closed at once": (raw(b""), 502, "provider_bad_response"),
    "endless header": (raw(b"HTTP/1.1 200 OK\r\nx: " + b"a" * 300_000), 502, "provider_bad_response"),
    "no answer": (silence, 504, "provider_unavailable"),
    "plain error": (whole(500, b"Internal Error", kind="text/plain"), 500, "provider_unavailable"),
    "error page": (whole(503, PAGE + b"x" * 400_000, kind="text/html"), 503, "provider_unavailable"),
    "error as a list": (whole(429, LISTED), 429, "provider_rate_limit"),
    "misshapen error": (whole(400, b'{"error":{"code":{},"type":[]}}'), 400, "provider_bad_response"),
}


@pytest.mark.parametrize("name", sorted(FAILING))
@every_wire
async def test_a_call_that_fails_has_an_honest_status_in_the_apis_shape(asking: Asking, name: str) -> None:
    reply, status, error_class = FAILING[name]
    async with fake_side(asking.name, reply, limits=patience(name)) as (_, side, client):
        target = f"/{NAMES[asking.name]}{asking.path(stream=True)}"
        answer = await client.post(target, json=asking.body("hi", stream=True))
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/json"
        assert len(answer.content) < 1000
        body = answer.json()
        assert (body[0] if isinstance(body, list) else body)["error"]
        assert [error.error_class for error in side.errors] == [error_class]
        assert side.usage == []


@every_wire
async def test_a_provider_that_cannot_be_reached_is_named(asking: Asking) -> None:
    served = provider(asking.name, "http://127.0.0.1:1/v1")
    async with box_side(served, limits=SHORT) as side, agent(side) as client:
        # So much that it is still being sent when the answer is known.
        body = asking.body("long " * 1_000_000)
        answer = await client.post(f"/{NAMES[asking.name]}{asking.path()}", json=body)
        assert answer.status_code == 502
        assert "cannot be reached" in answer.json()["error"]["message"]
        assert side.errors[0].error_class == "provider_unavailable"


@every_wire
async def test_a_provider_that_comes_up_while_we_connect_is_reached(asking: Asking) -> None:
    port = ports.free()
    url = f"http://127.0.0.1:{port}/v1"
    async with box_side(provider(asking.name, url)) as side, agent(side) as client:
        target = f"/{NAMES[asking.name]}{asking.path()}"
        calling = asyncio.create_task(client.post(target, json=asking.body("hello")))
        await asyncio.sleep(0.1)
        async with fake_provider(whole(200, b"{}"), port=port) as back:
            assert (await calling).status_code == 200
            assert len(back.received) == 1
            assert b"hello" in back.received[0].body


async def test_a_call_is_not_repeated_once_its_body_has_gone_up() -> None:
    async with fake_side("openai-chat", raw(b""), COMPLETE) as (upstream, _, client):
        assert (await client.post(CHAT, json=BODY)).status_code == 502
        assert len(upstream.received) == 1


@pytest.mark.parametrize(
    ("body", "error_class"),
    [
        (b'{"error":{"message":"slow down","code":429}}', "provider_rate_limit"),
        (b'{"id": ', "provider_bad_response"),
        (b"OK", "provider_bad_response"),
        (b"", "provider_bad_response"),
    ],
)
async def test_what_is_no_answer_is_cut_and_named(body: bytes, error_class: str) -> None:
    async with fake_side("openai-chat", whole(200, body)) as (_, side, client):
        # Taken for an answer without words, it would make an agent ask again at once, for ever.
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            await client.post(CHAT, json=BODY)
        assert [error.error_class for error in side.errors] == [error_class]


async def test_usage_is_told_before_what_was_wrong() -> None:
    order: list[str] = []

    async def key() -> str:
        return KEY

    async with fake_provider(stream(MESSAGE_START, end="cut")) as upstream:
        served = provider("anthropic", f"{upstream.url}/v1")
        gate = ModelGate(
            served,
            key,
            lambda usage, turn: order.append("usage"),
            lambda error: order.append(error.error_class),
        )
        server = await asyncio.start_server(gate.handle, "127.0.0.1", 0)
        async with server, httpx2.AsyncClient(trust_env=False) as client:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/anthropic/v1/messages"
            with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
                await client.post(url, json=BODY)
        await gate.close()
    assert order == ["usage", "provider_bad_response"]


GARBAGE = b'data: {"choices": [ }}} \xff\xfe this is not JSON\r\n\r\ndata: neither is this\n\n'
UNREADABLE = {
    "garbage": (delta("one") + delta("two"), GARBAGE + END),
    "garbage at once": (b"", GARBAGE + END),
    "a number": (delta("one") + delta("two"), b"data: 7\n\n" + END),
    "lines of returns": (delta("one").replace(b"\n", b"\r"), b"data: {nonsense\r\r" + END),
    "nothing but text": (b"", b"Welcome to the network of this hotel.\n\ndata: Sign in first.\n\n"),
}


@pytest.mark.parametrize("size", [1, 2, 7, 40, 100, 10_000])
@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_is_cut_off_named_and_never_passed(name: str, size: int) -> None:
    """However the bytes are cut: the agent gets the same whole events, and then a broken connection."""
    good, bad = UNREADABLE[name]
    sent, got = good + bad, b""
    pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
    async with fake_side("openai-chat", stream(*pieces)) as (_, side, client):
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            async with client.stream("POST", CHAT, json=BODY) as answer:
                async for piece in answer.aiter_raw():
                    got += piece
        assert [error.error_class for error in side.errors] == ["provider_bad_response"]
        assert side.errors[0].message == "The answer of Groq is garbled. Try again."
    assert sent.startswith(got)
    assert EventReader().feed(got) == EventReader().feed(good)


async def test_garbage_after_the_end_of_an_answer_is_named_and_the_answer_is_whole() -> None:
    reply = stream(delta("one"), STOP, USAGE, GARBAGE, DONE)
    async with fake_side("openai-chat", reply) as (_, side, client):
        answer = await client.post(CHAT, json=BODY)
        assert EventReader().feed(answer.content) == EventReader().feed(delta("one") + STOP + USAGE)
        assert [error.error_class for error in side.errors] == ["provider_bad_response"]
        assert len(side.usage) == 1


async def test_an_event_that_says_nothing_passes() -> None:
    reply = stream(delta("one"), b"data:\n\n", b": comment\n\n", END)
    async with fake_side("openai-chat", reply) as (_, side, client):
        assert b"data:\n\n" in (await client.post(CHAT, json=BODY)).content
        assert side.errors == []


MIDST = [
    ("openai-chat", '{"error":{"message":"Overloaded","code":502}}', "provider_unavailable"),
    ("openai-chat", '{"error":"too many tokens in the prompt"}', "context_too_long"),
    ("anthropic", '{"type":"error","error":{"type":"overloaded_error"}}', "provider_unavailable"),
    (
        "openai-responses",
        '{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded"}}}',
        "provider_rate_limit",
    ),
    ("openai-responses", '{"type":"error","code":"insufficient_quota"}', "provider_quota"),
    ("google", '{"error":{"code":503,"status":"UNAVAILABLE"}}', "provider_unavailable"),
]


@pytest.mark.parametrize(("wire", "event", "error_class"), MIDST)
async def test_an_error_in_the_midst_of_an_answer_is_reported(
    wire: str, event: str, error_class: str
) -> None:
    asking = next(asking for asking in WIRES if asking.name == wire)
    sent = f"data: {event}\n\n".encode()
    async with fake_side(wire, stream(sent)) as (_, side, client):
        target = f"/{NAMES[wire]}{asking.path(stream=True)}"
        got = b""
        # It arrives, and then the stream is cut, for SDKs that overlook it.
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            async with client.stream("POST", target, json=asking.body("hi", stream=True)) as answer:
                async for piece in answer.aiter_raw():
                    got += piece
        assert got == sent
        assert [error.error_class for error in side.errors] == [error_class]
