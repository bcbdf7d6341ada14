"""Connections to an address that a user chose: only to the public internet, and to what was looked up.

The name is resolved for each call, every address that it has must be a public one, and the connection goes to
one of those, with the name for TLS and the Host header: it cannot change in between.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import httpx2

# Python calls these global, or looks at the outer address only, but each can lead to a private IPv4 address:
# NAT64 (twice), 6to4, Teredo, IPv4-compatible and the local-use prefix of SIIT.
_TUNNELS = tuple(
    ipaddress.ip_network(prefix)
    for prefix in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "::ffff:0:0:0/96")
)


def is_public(address: str) -> bool:
    """Whether this IP address is one on the public internet, however it is written."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6 and (ip.ipv4_mapped is not None or any(ip in net for net in _TUNNELS)):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


class Transport(httpx2.AsyncHTTPTransport):
    """Refuses, as a failure to connect, whatever leads into a private network."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        request.url = request.url.copy_with(host=await _resolve(host, request.url.port or 443))
        request.extensions = {**request.extensions, "sni_hostname": host}
        return await super().handle_async_request(request)


async def _resolve(host: str, port: int) -> str:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpx2.ConnectError("there is no such host") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise httpx2.ConnectError("the host leads into a private network")
    return addresses[0]
