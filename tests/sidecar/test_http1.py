"""HTTP/1.1 from the server's side, with a peer that may write anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.http1 import BadRequest, Connection, Limits, PeerGone

Serve = Callable[[Connection], Awaitable[None]]


@asynccontextmanager
async def served(
    serve: Serve, **limits: float
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client's streams; the other end is given to `serve`, whose exceptions are raised here."""
    finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer, Limits(**limits))  # type: ignore[arg-type]
        try:
            await serve(connection)
        except Exception as error:
            finished.set_exception(error)
        else:
            finished.set_result(None)
        finally:
            await connection.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
        async with asyncio.timeout(5):
            await finished
    finally:
        writer.close()
        server.close()


async def echo(connection: Connection) -> None:
    while (request := await connection.request()) is not None:
        body = await connection.whole_body()
        await connection.respond(200, [], request.method.encode() + b" " + request.target + b" " + body)


async def test_requests_follow_one_another_on_a_connection() -> None:
    async with served(echo) as (reader, writer):
        for number in range(3):
            writer.write(b"POST /%d HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi" % number)
            assert (await reader.readuntil(b"hi")).endswith(b"POST /%d hi" % number)
        writer.close()


async def test_a_chunked_body_is_read() -> None:
    async with served(echo) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")
        assert (await reader.readuntil(b"abcde")).endswith(b"POST / abcde")
        writer.close()


async def test_a_client_that_waits_for_continue_is_told_to() -> None:
    async with served(echo) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(b"hi")
        assert (await reader.readuntil(b"hi")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_body_beyond_the_limit_is_refused() -> None:
    async def serve(connection: Connection) -> None:
        await connection.request()
        with pytest.raises(BadRequest) as refused:
            await connection.whole_body()
        assert refused.value.status == 413

    async with served(serve, body_bytes=10) as (_, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\n" + b"x" * 20)


@pytest.mark.parametrize("data", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\n"])
async def test_a_peer_that_leaves_before_its_request_is_done_ends_the_connection(data: bytes) -> None:
    async def serve(connection: Connection) -> None:
        try:
            assert await connection.request() is None
        except BadRequest:
            assert data

    async with served(serve) as (_, writer):
        writer.write(data)
        writer.close()


async def test_a_peer_that_leaves_within_its_body_is_gone() -> None:
    async def serve(connection: Connection) -> None:
        await connection.request()
        with pytest.raises((PeerGone, BadRequest)):
            await connection.whole_body()

    async with served(serve) as (_, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\nhalf")
        writer.close()


async def test_a_peer_that_stalls_within_its_body_is_told_so() -> None:
    async def serve(connection: Connection) -> None:
        await connection.request()
        with pytest.raises(BadRequest) as refused:
            await connection.whole_body()
        assert refused.value.status == 408

    async with served(serve, stall_seconds=0.1) as (_, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\nhalf")


async def test_a_peer_that_asks_nothing_is_let_go() -> None:
    async def serve(connection: Connection) -> None:
        assert await connection.request() is None

    async with served(serve, idle_seconds=0.1):
        pass


async def test_a_peer_that_goes_is_noticed_while_its_answer_is_made() -> None:
    async def serve(connection: Connection) -> None:
        await connection.request()
        await connection.discard()
        async with asyncio.timeout(5):
            await connection.gone()
        with pytest.raises(PeerGone):
            await connection.respond(200, [], b"x" * 10_000_000)

    async with served(serve) as (_, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.transport.abort()


async def test_what_is_sent_ahead_is_kept() -> None:
    async def serve(connection: Connection) -> None:
        for number in range(2):
            request = await connection.request()
            assert request is not None
            assert request.target == b"/%d" % number
            await connection.discard()
            watching = asyncio.create_task(connection.gone())
            await asyncio.sleep(0.1)
            assert not watching.done()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await connection.respond(200, [], b"")

    async with served(serve) as (_, writer):
        writer.write(b"GET /0 HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.write(b"GET /1 HTTP/1.1\r\nhost: x\r\n\r\n")


async def test_a_peer_that_sends_much_ahead_is_not_gone() -> None:
    async def serve(connection: Connection) -> None:
        await connection.request()
        await connection.discard()
        watching = asyncio.create_task(connection.gone())
        await asyncio.sleep(0.2)
        assert not watching.done()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await connection.respond(200, [], b"")
        request = await connection.request()
        assert request is not None
        assert len(await connection.whole_body()) == 500_000

    async with served(serve) as (_, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 500000\r\n\r\n" + b"x" * 500_000)


class Discard(asyncio.Transport):
    """A transport that takes everything and is never full."""

    def write(self, data: bytes | bytearray | memoryview) -> None: ...
    def is_closing(self) -> bool:
        return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.sampled_from(
                [
                    b"GET / HTTP/1.1\r\n",
                    b"POST /x HTTP/1.1\r\n",
                    b"host: x\r\n",
                    b"content-length: 3\r\n",
                    b"transfer-encoding: chunked\r\n",
                    b"expect: 100-continue\r\n",
                    b"\r\n",
                    b"abc",
                    b"0\r\n\r\n",
                ]
            ),
        ),
        max_size=12,
    )
)
def test_no_bytes_break_the_server(pieces: list[bytes]) -> None:
    async def run() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"".join(pieces))
        reader.feed_eof()
        protocol = asyncio.StreamReaderProtocol(reader)
        writer = asyncio.StreamWriter(Discard(), protocol, reader, asyncio.get_running_loop())
        connection = Connection(reader, writer)
        try:
            await echo(connection)
        except (BadRequest, PeerGone):
            if not connection.answer_started:
                try:
                    await connection.respond(400, [], b"")
                except PeerGone:
                    return

    asyncio.run(run())
