"""Which IP addresses somebody else's name may lead to: pure checks, the same for the platform and the gate.

`public` is what anybody may be led to. `neighbouring` is more: what an administrator's own mirror may have,
that is private addresses too, but never one that means the machine itself or what its cloud tells machines.
"""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

# Python calls these global, or looks at the outer address only, but each can lead to a private IPv4 address:
# NAT64 (twice), 6to4, Teredo, IPv4-compatible and the local-use prefix of SIIT.
_TUNNELS = tuple(
    ipaddress.IPv6Network(prefix)
    for prefix in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "::ffff:0:0:0/96")
)
# Where clouds hand out credentials to whoever asks from within; not all of them are link-local, or private.
_METADATA = frozenset(
    ipaddress.ip_address(address)
    for address in (
        *("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
        *("fd00:ec2::254", "fd20:ce::254"),
    )
)
# "This network": programs take all of it for the machine itself.
_THIS = ipaddress.IPv4Network("0.0.0.0/8")


def public(address: str) -> bool:
    """Whether this IP address is one on the public internet. ValueError when it is none at all."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return not _is_special(ip) and ip.is_global and not ip.is_reserved


def neighbouring(address: str) -> bool:
    """Whether a mirror may have this IP address: public, or private to more than one machine."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return not (_is_special(ip) or ip.is_loopback or ip.is_link_local or ip.is_reserved)


def _is_special(ip: Address) -> bool:
    """Means something else than one other machine, wherever it is seen from."""
    if ip.is_multicast or ip.is_unspecified or ip in _METADATA:
        return True
    if isinstance(ip, ipaddress.IPv4Address):
        return ip in _THIS
    return ip.ipv4_mapped is not None or any(ip in net for net in _TUNNELS)
