"""Which addresses a name may lead to, however the private ones are written."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.protocol import addresses

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"]
# An administrator's mirror may have these, and nobody else.
NEIGHBOURING = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "192.0.2.1", "203.0.113.9", "fd00::1"]
NOBODYS = [
    *(
        "127.0.0.1",
        "127.255.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.1.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
    ),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "ff02::1"),
    # Metadata of clouds, not all of it in private ranges.
    *("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    *("fd00:ec2::254", "fd20:ce::254"),
    # What leads to another address: mapped, compatible, NAT64, 6to4, Teredo, SIIT.
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe"),
    *("2002:7f00:1::", "2001:0:7f00:1::", "::ffff:0:7f00:1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_ones_are_for_everybody(address: str) -> None:
    assert addresses.public(address) and addresses.neighbouring(address)


@pytest.mark.parametrize("address", NEIGHBOURING)
def test_private_ones_are_for_mirrors(address: str) -> None:
    assert not addresses.public(address) and addresses.neighbouring(address)


@pytest.mark.parametrize("address", NOBODYS)
def test_the_machines_own_and_its_clouds_are_for_nobody(address: str) -> None:
    assert not addresses.public(address) and not addresses.neighbouring(address)


@given(st.ip_addresses())
def test_nothing_is_public_that_is_not_for_mirrors_too(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if addresses.public(str(address)):
        assert addresses.neighbouring(str(address)) and address.is_global


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_is_reached_through_ipv6(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for prefix, shift in (("::ffff:0:0", 0), ("64:ff9b::", 0), ("::", 0), ("2002::", 80)):
        tunnel = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number << shift)
        assert not addresses.neighbouring(str(tunnel))
