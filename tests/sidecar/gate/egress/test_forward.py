"""Plain HTTP through the proxy: said anew to the host, nothing of the hop with it, and no smuggling."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import pytest

from tests.sidecar.gate.egress.way_out import LISTED, Serve, way_out

GET = b"GET http://example.com/a?b=c HTTP/1.1\r\nHost: other.example\r\n\r\n"


def answers(*raw: bytes, seen: list[bytes] | None = None) -> Serve:
    """A host that reads the head and the body it is told of, says this, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = b""
        if b"chunked" in head:
            body = await reader.readuntil(b"0\r\n\r\n")
        elif b"content-length: " in head:
            body = await reader.readexactly(int(head.split(b"content-length: ")[1].split()[0]))
        if seen is not None:
            seen.append(head + body)
        for piece in raw:
            writer.write(piece)
            await writer.drain()
        writer.close()

    return serve


async def said(request: bytes, *raw: bytes, seen: list[bytes] | None = None) -> bytes:
    async with way_out(LISTED, answers(*raw, seen=seen)) as out:
        return await out.ask(request)


async def test_the_host_hears_its_own_name_and_nothing_of_the_hop() -> None:
    seen: list[bytes] = []
    request = (
        b"GET http://Example.com/a?b=c#d HTTP/1.1\r\nHost: other.example\r\nAccept: */*\r\n"
        b"Proxy-Authorization: Basic c2VjcmV0\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\n"
        b"Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nUpgrade: websocket\r\n\r\n"
    )
    answer = await said(request, b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nok", seen=seen)
    assert answer.startswith(b"HTTP/1.1 200 Fine\r\n") and answer.endswith(b"\r\n\r\nok")
    (heard,) = seen
    assert heard.startswith(b"GET /a?b=c HTTP/1.1\r\n")
    lines = {line.lower() for line in heard.split(b"\r\n")[1:] if line}
    assert lines == {b"host: example.com", b"accept: */*", b"connection: close"}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Length: 5\r\n", b"hello"),
        (b"Transfer-Encoding: chunked\r\n", b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"),
        (b"Content-Length: 5\r\nConnection: content-length\r\n", b"hello"),
    ],
)
async def test_a_body_goes_up_whole(headers: bytes, body: bytes) -> None:
    seen: list[bytes] = []
    request = b"POST http://example.com/ HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n" + body
    await said(request, b"HTTP/1.1 204 No Content\r\n\r\n", seen=seen)
    assert b"hello" in seen[0] or b"3\r\nhel\r\n2\r\nlo\r\n" in seen[0]


async def test_several_requests_come_over_one_connection_as_apt_sends_them() -> None:
    async with way_out(LISTED, answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as out:
        reader, writer = await out.open()
        writer.write(GET * 3)
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(-1), 20)
        assert answer.count(b"HTTP/1.1 200 OK") == 3 and answer.count(b"\r\n\r\nok") == 3
        assert len(out.went) == 3
        # One that is refused in between does not end it.
        refused = GET.replace(b"example.com", b"no.example", 1)
        answer = await out.ask(GET + refused + GET)
        assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"403", b"200"]


@pytest.mark.parametrize(
    ("raw", "is_whole"),
    [
        ([b"HTTP/1.0 200 OK\r\n\r\nuntil the end"], True),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"0\r\n\r\n"], True),
        ([b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"], True),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"], False),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"], False),
    ],
)
async def test_an_answer_that_breaks_off_does_not_look_whole(raw: Sequence[bytes], *, is_whole: bool) -> None:
    try:
        answer = await said(GET, *raw)
    except ConnectionError:
        assert not is_whole
        return
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"chunked" in head.lower():
        assert body.endswith(b"0\r\n\r\n") is is_whole
    else:
        assert (int(head.lower().split(b"content-length: ")[1].split()[0]) == len(body)) is is_whole


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
    ],
)
async def test_what_is_no_answer_is_said(raw: bytes) -> None:
    assert (await said(GET, raw)).startswith(b"HTTP/1.1 502 ")


async def test_head_and_not_modified_have_no_body() -> None:
    head = GET.replace(b"GET", b"HEAD", 1)
    answer = await said(head, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    assert answer.lower().endswith(b"content-length: 1000\r\n\r\n")
    answer = await said(GET, b"HTTP/1.1 304 Not Modified\r\nETag: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 304 ") and answer.endswith(b"\r\n\r\n")
