"""Names become addresses in time or not at all, and none of this machine's own is among them."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from sidecar.gate.egress import addresses
from sidecar.gate.egress.addresses import Private, Resolver, Unreachable


def test_this_machines_own_addresses_are_known_whatever_interface_has_them() -> None:
    for own in ("127.0.0.1", "127.9.9.9", "0.0.0.0", "::1"):
        assert addresses.is_own(own)
    for other in ("8.8.8.8", "203.0.113.77", "2606:4700::1111"):
        assert not addresses.is_own(other)


def test_an_interfaces_address_is_refused_even_for_a_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses.check(["10.1.2.3"], is_trusted=True)
    monkeypatch.setattr(addresses, "is_own", lambda address: address == "10.1.2.3")
    with pytest.raises(Private):
        addresses.check(["10.9.9.9", "10.1.2.3"], is_trusted=True)
    with pytest.raises(Private):
        addresses.check(["8.8.8.8"], is_trusted=False, host_addresses=["8.8.8.8"])


def test_what_cannot_be_found_out_counts_as_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise PermissionError(1, "no")

    monkeypatch.setattr(socket.socket, "bind", fail)
    assert addresses.is_own("8.8.8.8")


async def test_a_name_has_its_addresses_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "127.0.0.1" in await Resolver()("localhost", 80)

    def unknown(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # Not of the resolver of this machine: some know every name, and some say nothing for long.
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match="no host"):
        await Resolver()("nowhere.invalid", 80)


async def test_a_resolver_that_says_nothing_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        release.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    resolve = Resolver(seconds=0.2)
    asked = [resolve(f"host{n}.example", 80) for n in range(3 * addresses.LOOKUPS)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    release.set()
    assert all(isinstance(each, Unreachable) for each in outcomes)


async def test_the_next_address_is_tried_when_one_takes_no_connection() -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await addresses.connect(["127.0.0.2", "127.0.0.1"], port, seconds=10)
        assert writer.get_extra_info("peername")[0] == "127.0.0.1"
        writer.close()
        await writer.wait_closed()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # So that nobody else listens there.
        with pytest.raises(Unreachable):
            await addresses.connect(["127.0.0.1"], silent.getsockname()[1], seconds=1)
