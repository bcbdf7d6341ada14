"""The addresses of this host are found, and those that the administrator names belong to them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from openagent.lib import env, own_addresses
from tests.container_product import own_address


def test_this_machines_addresses_are_found() -> None:
    assert {"127.0.0.1", own_address()} <= own_addresses.of_interfaces()
    for address in own_addresses.of_interfaces():
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        assert socket.inet_pton(family, address)


def test_a_machine_without_ipv6_has_those_of_ipv4(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(
        "Local:\n  |-- 10.0.0.0\n     /24 link UNICAST\n  |-- 10.0.0.2\n     /32 host LOCAL\n"
    )
    assert own_addresses.of_interfaces(tmp_path) == {"10.0.0.2"}


def test_what_the_administrator_names_belongs_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAGENT_HOST_ADDRESSES", "203.0.113.7, 2001:DB8::1")
    assert own_addresses.named() == {"203.0.113.7", "2001:db8::1"}


def test_a_name_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAGENT_HOST_ADDRESSES", "agents.example.com")
    with pytest.raises(env.SettingError, match="must be IP addresses"):
        own_addresses.named()
