"""What a box is told of the way out, and which addresses its machine has."""

from __future__ import annotations

import socket
from pathlib import Path

from sessions_app.drivers import box_network
from tests.container_product import own_address


def test_this_machines_addresses_are_found() -> None:
    assert {"127.0.0.1", own_address()} <= box_network.host_addresses()
    for address in box_network.host_addresses():
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        assert socket.inet_pton(family, address)


def test_a_machine_without_ipv6_has_those_of_ipv4(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(
        "Local:\n  |-- 10.0.0.0\n     /24 link UNICAST\n  |-- 10.0.0.2\n     /32 host LOCAL\n"
    )
    assert box_network.host_addresses(tmp_path) == {"10.0.0.2"}


def test_registries_are_as_they_are_told() -> None:
    told = box_network.environment(bundle="", registries={"PIP_INDEX_URL": "https://mirror.example/simple"})
    assert told["PIP_INDEX_URL"] == "https://mirror.example/simple"
    assert "SSL_CERT_FILE" not in told
