"""What a hostile box program answers to orders is checked: the call fails, or the instance ends."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from sidecar.box_protocol import MAX_ENTRIES, MAX_LISTING_BYTES, MAX_READ_BYTES, BoxError
from sidecar.box_server import BoxServer
from tests.fakes.hostile_box import HostileBox, hostile_box


async def lost(server: BoxServer) -> str:
    await asyncio.wait_for(server.lost.wait(), 10)
    return server.lost_reason


async def code_of(call: Any) -> str:
    with pytest.raises(BoxError) as caught:
        await asyncio.wait_for(call, 10)
    return caught.value.code


async def answer(box: HostileBox, control: Any, data: bytes, *, end: bool = True) -> asyncio.StreamWriter:
    order = await control.order()
    _, writer = await box.greet(hello="stream", id=order["id"])
    writer.write(data)
    if end:
        writer.write_eof()
    return writer


@pytest.mark.parametrize(
    "listing",
    [
        b"",
        b"null",
        b"{",
        b"[" * 100_000,
        b"x" * (MAX_LISTING_BYTES + 1),
        {"entries": [["a", "file", 1, 0.0]] * (MAX_ENTRIES + 1), "truncated": False},
        {"entries": [["a/b", "file", 1, 0.0]], "truncated": False},
        {"entries": [["..", "dir", 1, 0.0]], "truncated": False},
        {"entries": [["", "file", 1, 0.0]], "truncated": False},
        {"entries": [["n" * 5000, "file", 1, 0.0]], "truncated": False},
        {"entries": [["a", "socket", 1, 0.0]], "truncated": False},
        {"entries": [["a", "file", -1, 0.0]], "truncated": False},
        {"entries": [["a", "file", 2**70, 0.0]], "truncated": False},
        {"entries": [[1, 2, 3, 4]], "truncated": False},
    ],
    ids=lambda listing: repr(listing)[:40],
)
async def test_a_listing_that_cannot_be_true_fails_the_call(
    pair: tuple[BoxServer, HostileBox], listing: Any
) -> None:
    server, box = pair
    control = await box.control()
    await server.connected(5)
    call = asyncio.ensure_future(server.list_files(""))
    await answer(box, control, listing if isinstance(listing, bytes) else json.dumps(listing).encode())
    assert await code_of(call) == "box_protocol"
    assert not server.lost.is_set()


async def test_names_of_a_hostile_box_are_made_visible(pair: tuple[BoxServer, HostileBox]) -> None:
    server, box = pair
    control = await box.control()
    await server.connected(5)
    call = asyncio.ensure_future(server.list_files(""))
    row = ["nul\0 esc\x1b[2J bidi\u202e", "file", 1, 1e300]
    await answer(box, control, json.dumps({"entries": [row], "truncated": True}).encode())
    listing = await call
    assert listing.entries[0].name == "nul\\x00 esc\\x1b[2J bidi\\u202e"
    assert listing.entries[0].modified == 0.0


async def test_more_bytes_than_were_asked_for_fail_the_call(pair: tuple[BoxServer, HostileBox]) -> None:
    server, box = pair
    control = await box.control()
    await server.connected(5)
    call = asyncio.ensure_future(server.read_file("a", 0, MAX_READ_BYTES))
    await answer(box, control, b"x" * (MAX_READ_BYTES + 1))
    assert await code_of(call) == "box_protocol"


async def test_an_answer_that_never_ends_times_out(hasty: tuple[BoxServer, HostileBox]) -> None:
    server, box = hasty
    control = await box.control()
    await server.connected(5)
    call = asyncio.ensure_future(server.read_file("a", 0, 100))
    await answer(box, control, b"some", end=False)
    assert await code_of(call) == "box_timeout"


async def test_an_exit_code_that_cannot_be_ends_the_instance(pair: tuple[BoxServer, HostileBox]) -> None:
    server, box = pair
    control = await box.control()
    await server.connected(5)
    call = asyncio.ensure_future(server.exec(["true"]))
    await answer(box, control, b"")
    process = await call
    control.reply(id=1, exit=2**40)
    assert "impossible exit code" in await lost(server)
    assert await code_of(process.wait()) == "box_lost"


async def test_a_refusal_is_told_in_our_words_and_its_own_are_cut(
    pair: tuple[BoxServer, HostileBox],
) -> None:
    server, box = pair
    control = await box.control()
    await server.connected(5)
    call = asyncio.ensure_future(server.list_files(""))
    order = await control.order()
    control.reply(id=order["id"], ok=False, error="<script>", message="\x1b[2J" + "m" * 10_000)
    with pytest.raises(BoxError) as caught:
        await call
    assert caught.value.code == "failed"
    assert "\\x1b[2J" in caught.value.message and len(caught.value.message) < 400


async def test_output_that_floods_is_held_up_by_its_reader(pair: tuple[BoxServer, HostileBox]) -> None:
    server, box = pair
    control = await box.control()
    await server.connected(5)
    call = asyncio.ensure_future(server.exec(["true"]))
    order = await control.order()
    _, writer = await box.greet(hello="stream", id=order["id"])
    process = await call
    sent = 0
    try:
        async with asyncio.timeout(1):
            while True:
                writer.write(b"y" * 65536)
                await writer.drain()
                sent += 65536
    except TimeoutError:
        pass
    assert sent < 2_000_000
    assert await process.stream.readexactly(1000) == b"y" * 1000


async def test_a_gate_that_fails_or_hangs_ends_with_the_instance(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = asyncio.Event()
    cancelled = asyncio.Event()

    async def gate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readline()
        if asked == b"fail\n":
            raise RuntimeError("a bug")
        if asked == b"break\n":
            raise OSError("not the box's doing")
        hanging.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with hostile_box(folder, {"models": gate}) as (server, box):
        await box.control()
        await server.connected(5)
        reader, writer = await box.greet(hello="gate", name="models")
        writer.write(b"fail\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        assert "the handler of a connection from the box failed" in caplog.text
        reader, writer = await box.greet(hello="gate", name="models")
        with caplog.at_level(logging.DEBUG, logger="sidecar.box_connections"):
            writer.write(b"break\n")
            assert await asyncio.wait_for(reader.read(), 5) == b""
        assert "a connection from the box broke: not the box's doing" in caplog.text
        _, writer = await box.greet(hello="gate", name="models")
        writer.write(b"hang\n")
        await asyncio.wait_for(hanging.wait(), 5)
        unknown, _ = await box.greet(hello="gate", name="root")
        assert await asyncio.wait_for(unknown.read(), 5) == b""
    assert cancelled.is_set()
