"""A WebSocket that is not read, or not taken from, is held back, and in the end let go."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from daphne.ws_protocol import WebSocketFactory
from twisted.internet.testing import StringTransport

from openagent import paced_socket
from openagent.paced_socket import MAX_UNTAKEN_BYTES, MESSAGE_BYTES, PacedSocket


class _Server:
    """What the connection needs of Daphne's."""

    def protocol_disconnected(self, protocol: Any) -> None:
        pass

    def log_action(self, protocol: str, action: str, details: Any) -> None:
        pass


@pytest.fixture
async def transport() -> StringTransport:
    return StringTransport()  # type: ignore[no-untyped-call]


@pytest.fixture
async def connection(transport: StringTransport) -> PacedSocket:
    """One that is open."""
    factory = WebSocketFactory(_Server())
    factory.protocol = PacedSocket
    socket = factory.buildProtocol(None)
    socket.makeConnection(transport)
    socket.server, socket.request, socket.client_addr = _Server(), SimpleNamespace(path="/x"), None
    socket.application_queue = asyncio.Queue()
    socket.state = socket.STATE_OPEN
    # As after an upgrade: the transport knows the HTTP connection.
    transport.registerProducer(object(), True)  # type: ignore[no-untyped-call]
    socket.onOpen()
    assert transport.producer is socket
    assert isinstance(socket, PacedSocket)
    return socket


async def test_who_takes_nothing_for_long_is_let_go(
    connection: PacedSocket, transport: StringTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paced_socket, "STALLED_SECONDS", 0.01)
    connection.pauseProducing()
    waiting = asyncio.ensure_future(connection.room())
    async with asyncio.timeout(20):
        while not transport.disconnected:
            await asyncio.sleep(0.01)
    assert not waiting.done()
    connection.onClose(False, 1006, "")
    await waiting


async def test_who_takes_again_is_not_let_go(
    connection: PacedSocket, transport: StringTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paced_socket, "STALLED_SECONDS", 0.01)
    connection.pauseProducing()
    connection.pauseProducing()
    connection.resumeProducing()
    await connection.room()
    await asyncio.sleep(0.1)
    assert not transport.disconnected


async def test_only_as_much_is_read_as_is_taken(connection: PacedSocket, transport: StringTransport) -> None:
    receive = connection.counting(connection.application_queue.get)
    count = 0
    while transport.producerState == "producing":
        connection.onMessage("é".encode(), False)
        count += 1
    assert count == MAX_UNTAKEN_BYTES // (2 + MESSAGE_BYTES) + 1
    taken = 0
    while transport.producerState == "paused":
        assert (await receive())["text"] == "é"
        taken += 1
    assert count / 3 < taken < count
    for _ in range(count - taken):
        await receive()
    assert connection.application_queue.empty()


async def test_one_that_is_being_closed_is_read_to_its_end_and_nothing_more_is_kept(
    connection: PacedSocket, transport: StringTransport
) -> None:
    connection.onMessage(bytes(MAX_UNTAKEN_BYTES), True)
    assert transport.producerState == "paused"
    connection.serverClose(4000)
    assert transport.producerState == "producing"
    connection.onMessage(b"late", True)
    assert connection.application_queue.qsize() == 1


async def test_one_whose_application_failed_is_read_to_its_end(
    connection: PacedSocket, transport: StringTransport
) -> None:
    connection.onMessage(bytes(MAX_UNTAKEN_BYTES), True)
    connection.handle_exception(RuntimeError())
    assert transport.producerState == "producing"


@pytest.mark.parametrize(("told", "sent"), [(None, 1000), (1013, 1013), (4404, 4404)])
async def test_it_closes_with_the_code_that_the_application_gives(
    connection: PacedSocket, transport: StringTransport, told: int | None, sent: int
) -> None:
    transport.clear()  # type: ignore[no-untyped-call]
    connection.serverClose(told)
    assert transport.value() == b"\x88\x02" + sent.to_bytes(2, "big")  # type: ignore[no-untyped-call]
    assert connection.state == connection.STATE_CLOSING
