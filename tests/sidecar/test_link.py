"""The link by itself: how soon it comes back, in which order it sends, and how it leaves."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve, unix_serve

from sidecar.link import Link, Timing
from sidecar.protocol import frames

WELCOME = frames.encode(frames.Welcome(version=1, platform_version="x"))


class Peer:
    """Says hello and remembers what it hears."""

    def __init__(self) -> None:
        self.heard: list[frames.Down] = []
        self.bytes: list[bytes] = []
        self.first: list[frames.Frame | bytes] = []
        self.losses = 0

    def hello(self) -> frames.Hello:
        return frames.Hello(
            versions=[1], sidecar_version="x", instance="i", token="t", public_key="k", nonce="n"
        )

    def opening(self, welcome: frames.Welcome) -> Iterable[frames.Frame | bytes]:
        return self.first

    def receive(self, frame: frames.Down) -> None:
        self.heard.append(frame)

    def receive_bytes(self, message: bytes) -> None:
        self.bytes.append(message)

    def link_lost(self) -> None:
        self.losses += 1


@pytest.fixture
async def path() -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="link-") as folder:
        yield str(Path(folder) / "link.sock")


def quick(path: str, peer: Peer) -> Link:
    return Link(peer, unix=path, timing=Timing(first_retry=0.01, last_retry=0.05))


def test_waits_grow_to_a_limit_and_are_spread() -> None:
    timing = Timing()
    waits = [[timing.retry_in(tries) for _ in range(200)] for tries in range(12)]
    assert all(0.1 <= wait <= 0.2 for wait in waits[0])
    assert all(timing.last_retry / 2 <= wait <= timing.last_retry for wait in waits[-1])
    assert max(waits[-1]) - min(waits[-1]) > 1.0
    assert timing.retry_in(10**9) <= timing.last_retry < 5.0


async def test_the_first_frame_is_the_hello_and_then_what_the_opening_says(path: str) -> None:
    got: list[str] = []
    done = asyncio.Event()

    async def platform(connection: ServerConnection) -> None:
        assert connection.request is not None and connection.request.path == "/ws/link/"
        assert "Origin" not in connection.request.headers and "Cookie" not in connection.request.headers
        got.append(str(await connection.recv()))
        await connection.send(WELCOME)
        got.extend([str(await connection.recv()) for _ in range(3)])
        done.set()
        await connection.wait_closed()

    peer = Peer()
    peer.first = [frames.Stage(stage="sidecar", elapsed_ms=1), b'{"type":"goodbye","reason":"raw"}']
    link = quick(path, peer)
    events = iter([b'{"type":"events","events":[]}'])
    link.source = lambda: next(events, None)
    async with unix_serve(platform, path):
        running = asyncio.create_task(link.run())
        await asyncio.wait_for(done.wait(), 5)
        running.cancel()
    kinds = [type(frames.decode_up(raw)) for raw in got]
    assert kinds == [frames.Hello, frames.Stage, frames.Goodbye, frames.Events]


@pytest.mark.parametrize(
    "answer",
    ["", "[]", frames.encode(frames.Ack(seq=1)), WELCOME.replace('"version":1', '"version":99')],
)
async def test_what_is_no_welcome_is_tried_again(path: str, answer: str) -> None:
    hellos = 0
    enough = asyncio.Event()

    async def platform(connection: ServerConnection) -> None:
        nonlocal hellos
        await connection.recv()
        hellos += 1
        await connection.send(answer)
        if hellos == 4:
            enough.set()
        await connection.wait_closed()

    peer = Peer()
    async with unix_serve(platform, path):
        running = asyncio.create_task(quick(path, peer).run())
        await asyncio.wait_for(enough.wait(), 5)
        running.cancel()
    assert peer.losses == 0


async def test_a_frame_without_a_connection_is_dropped(path: str) -> None:
    link = quick(path, Peer())
    link.send(frames.Goodbye(reason="nobody hears"))
    assert not link._frames
    await link.leave("at once", seconds=5)
    assert await link.run() is None


async def test_a_refusal_is_heard_although_the_connection_ends_with_it(path: str) -> None:
    async def platform(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(WELCOME)
        await connection.send(frames.encode(frames.Refused(code="fenced", message="m", final=True)))
        connection.transport.abort()

    async with unix_serve(platform, path):
        refused = await asyncio.wait_for(quick(path, Peer()).run(), 5)
    assert refused is not None and refused.code == "fenced"


async def test_leaving_says_goodbye_last_and_waits_for_the_close(path: str) -> None:
    got: list[frames.Up] = []

    async def platform(connection: ServerConnection) -> None:
        await connection.send(WELCOME)
        async for raw in connection:
            got.append(frames.decode_up(raw))
            if isinstance(got[-1], frames.Goodbye):
                return

    link = quick(path, Peer())
    async with unix_serve(platform, path):
        running = asyncio.create_task(link.run())
        await asyncio.wait_for(link.up.wait(), 5)
        link.send(frames.Stage(stage="sidecar", elapsed_ms=1))
        await link.leave("idle", seconds=5)
        assert await asyncio.wait_for(running, 5) is None
    assert [type(frame) for frame in got] == [frames.Hello, frames.Stage, frames.Goodbye]


async def test_leaving_a_platform_that_does_not_close_takes_only_so_long(path: str) -> None:
    async def platform(connection: ServerConnection) -> None:
        await connection.send(WELCOME)
        await connection.wait_closed()

    link = quick(path, Peer())
    async with unix_serve(platform, path):
        running = asyncio.create_task(link.run())
        await asyncio.wait_for(link.up.wait(), 5)
        begun = asyncio.get_running_loop().time()
        await link.leave("idle", seconds=0.1)
        assert asyncio.get_running_loop().time() - begun < 5, "it would not close by itself"
        assert await asyncio.wait_for(running, 5) is None


async def test_it_also_speaks_tcp() -> None:
    async def platform(connection: ServerConnection) -> None:
        await connection.send(WELCOME)
        await connection.wait_closed()

    async with serve(platform, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        link = Link(Peer(), url=f"ws://127.0.0.1:{port}/ws/link/")
        running = asyncio.create_task(link.run())
        await asyncio.wait_for(link.up.wait(), 5)
        running.cancel()
