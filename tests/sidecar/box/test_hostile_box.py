"""A box program that lies, floods or stays silent ends its own instance or call, and costs nobody else."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from sidecar.box_protocol import BoxError
from sidecar.box_server import BoxServer, Limits
from tests.fakes.hostile_box import HostileBox, hostile_box


async def lost(server: BoxServer) -> str:
    await asyncio.wait_for(server.lost.wait(), 10)
    return server.lost_reason


async def code_of(call: Any) -> str:
    with pytest.raises(BoxError) as caught:
        await asyncio.wait_for(call, 10)
    return caught.value.code


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b"{}\n",
        b"[]\n",
        b"\xff\xfe\n",
        b'{"id": "one", "ok": true}\n',
        b'{"id": 1e400}\n',
        b"[" * 60_000 + b"\n",
        b'{"id":1,"x":' + b"[" * 60_000 + b"\n",
        b"x" * 70_000 + b"\n",
        b"x" * 1_000_000,
    ],
    ids=lambda line: repr(line[:12]),
)
async def test_a_malformed_reply_ends_the_instance(pair: tuple[BoxServer, HostileBox], line: bytes) -> None:
    server, box = pair
    control = await box.control()
    control.writer.write(line)
    assert "breaks its protocol" in await lost(server)
    assert await code_of(server.list_files("")) == "box_lost"


@pytest.mark.parametrize(
    "first",
    [b"", b"x", b"\n", b"{}\n", b'{"hello":"root"}\n', b'{"hello":"stream","id":77}\n', b"x" * 200_000],
    ids=lambda first: repr(first[:30]),
)
async def test_a_wrong_greeting_costs_only_that_connection(
    hasty: tuple[BoxServer, HostileBox], first: bytes
) -> None:
    server, box = hasty
    await box.control()
    await server.connected(5)
    reader, _ = await box.open(first)
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    assert not server.lost.is_set()


async def test_replies_to_no_order_end_the_instance(pair: tuple[BoxServer, HostileBox]) -> None:
    server, box = pair
    control = await box.control()
    for number in range(2000):
        control.reply(id=number + 1000, ok=False, error="x")
    assert "nobody asked" in await lost(server)


async def test_ten_thousand_connections_end_the_instance(folder: Path) -> None:
    async with hostile_box(folder, limits=Limits(connections=50)) as (server, box):
        await box.control()
        await server.connected(5)
        with pytest.raises(OSError):
            for _ in range(10_000):
                _, writer = await asyncio.open_unix_connection(str(box.path))
                writer.transport.abort()
                await asyncio.sleep(0)
        assert "too many connections" in await lost(server)


async def test_connections_beyond_the_limit_are_turned_away_and_the_rest_works(folder: Path) -> None:
    async with hostile_box(folder, limits=Limits(connections=50, greeting_seconds=60)) as (server, box):
        control = await box.control()
        await server.connected(5)
        silent = [await box.open(b"") for _ in range(60)]
        ends = [asyncio.ensure_future(reader.read()) for reader, _ in silent]
        async with asyncio.timeout(20):
            while sum(end.done() for end in ends) < 11:
                await asyncio.sleep(0.01)
        done, _ = await asyncio.wait(ends, timeout=0.2)
        assert len(done) == 11  # 50 less the control connection stay.
        for _, writer in silent:
            writer.transport.abort()
        await asyncio.gather(*ends, return_exceptions=True)
        async with asyncio.timeout(20):
            while len(server._listener._open) > 1:
                await asyncio.sleep(0.01)
        call = asyncio.ensure_future(server.read_file("a", 0, 10))
        order = await control.order()
        _, writer = await box.greet(hello="stream", id=order["id"])
        writer.write(b"fine")
        writer.close()
        assert await call == b"fine"


async def test_a_second_control_connection_is_turned_away(pair: tuple[BoxServer, HostileBox]) -> None:
    server, box = pair
    await box.control()
    await server.connected(5)
    second = await box.control(ready=False)
    assert await asyncio.wait_for(second.reader.read(), 5) == b""
    assert not server.lost.is_set()


@pytest.mark.parametrize(
    "reply",
    [
        {"ok": True},
        {"ok": False, "error": "in use"},
        {"ok": True, "ports": {}},
        {"ok": True, "ports": {"models": 0}},
        {"ok": True, "ports": {"models": 70000}},
        {"ok": True, "ports": {"models": 7001, "root": 22}},
        {"ok": True, "ports": [7001]},
    ],
)
async def test_listeners_that_cannot_be_true_end_the_instance(folder: Path, reply: dict[str, Any]) -> None:
    async def gate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError

    async with hostile_box(folder, {"models": gate}) as (server, box):
        control = await box.control(ready=False)
        await control.order()
        control.reply(id=0, **reply)
        assert await code_of(server.connected(5)) == "box_lost"
        assert "breaks its protocol" in server.lost_reason


async def test_a_wrong_version_ends_the_instance(pair: tuple[BoxServer, HostileBox]) -> None:
    server, box = pair
    await box.greet(hello="control", version=2)
    assert "its version is 2" in await lost(server)


async def test_a_box_that_never_comes_is_a_timeout(pair: tuple[BoxServer, HostileBox]) -> None:
    server, _ = pair
    assert await code_of(server.connected(0.1)) == "box_timeout"


async def test_orders_that_are_never_answered_time_out(hasty: tuple[BoxServer, HostileBox]) -> None:
    server, box = hasty
    await box.control()
    await server.connected(5)
    for call in (
        server.exec(["true"]),
        server.connect(80),
        server.list_files(""),
        server.read_file("a", 0, 1),
    ):
        assert await code_of(call) == "box_timeout"
    assert not server.lost.is_set()


async def test_a_box_that_does_not_read_its_orders_is_lost(pair: tuple[BoxServer, HostileBox]) -> None:
    server, box = pair
    await box.control()
    await server.connected(5)
    calls = [asyncio.ensure_future(server.exec(["x" * 100_000])) for _ in range(200)]
    assert "does not read" in await lost(server)
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(result, BoxError) for result in results)


@pytest.mark.parametrize(
    "hello",
    [{"hello": "stream", "id": 77}, {"hello": "gate", "name": "root"}, {"hello": "control", "version": 1}],
)
async def test_connections_without_any_business_end_the_instance(folder: Path, hello: dict[str, Any]) -> None:
    async with hostile_box(folder, limits=Limits(turned_away=50)) as (server, box):
        await box.control()
        await server.connected(5)
        for _ in range(50):
            reader, _ = await box.greet(**hello)
            assert await asyncio.wait_for(reader.read(), 5) == b""
        assert not server.lost.is_set()
        await box.greet(**hello)
        assert "too many connections" in await lost(server)
