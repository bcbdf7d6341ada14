"""Connections to an address that a user chose: only to the public internet, and to what was looked up.

The name is resolved for each call, every address that it has must be a public one, and the connection goes to
one of those, with the name for TLS and the Host header: it cannot change in between.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection

import httpx2

from sidecar.gate.egress import addresses


class Transport(httpx2.AsyncHTTPTransport):
    """Refuses, as a failure to connect, whatever leads into a private network or to `host_addresses`."""

    def __init__(self, limits: httpx2.Limits, *, host_addresses: Collection[str] = ()) -> None:
        super().__init__(limits=limits)
        self._host_addresses = host_addresses

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        address = await resolve(host, request.url.port or 443, host_addresses=self._host_addresses)
        request.url = request.url.copy_with(host=address)
        request.extensions = {**request.extensions, "sni_hostname": host}
        return await super().handle_async_request(request)


async def resolve(host: str, port: int, *, host_addresses: Collection[str] = ()) -> str:
    """An address of this host, if a box may be led to all that it has. ConnectError."""
    try:
        entries = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpx2.ConnectError("there is no such host") from error
    found = [str(entry[4][0]) for entry in entries]
    if not found:
        raise httpx2.ConnectError("there is no such host")
    try:
        addresses.check(found, is_trusted=False, host_addresses=host_addresses)
    except addresses.Private:
        raise httpx2.ConnectError("the host leads into a private network") from None
    return found[0]
