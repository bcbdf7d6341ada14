"""Names become addresses here and nowhere in the box; each address is checked, and those checked are used.

All addresses of a name must be allowed: one that is not may be the next that somebody is led to. Whether an
address is this machine's own is asked of the kernel each time, for interfaces come and go.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

from sidecar.protocol import addresses

LOOKUPS = 8
"""Names that are looked up at once; a resolver that does not answer keeps a thread each."""
RESOLVE_SECONDS = 10.0

Resolve = Callable[[str, int], Awaitable[list[str]]]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Unreachable(Exception):
    """There is no way to this host; the message is shown."""


class Private(Exception):
    """The host leads to where nobody in a box may go."""


class Resolver:
    """Looks names up with the system's resolver, a few at a time and not for ever."""

    def __init__(self, *, seconds: float = RESOLVE_SECONDS) -> None:
        self._turn = asyncio.Semaphore(LOOKUPS)
        self._seconds = seconds

    async def __call__(self, host: str, port: int) -> list[str]:
        """The addresses of this name. Unreachable when it has none, or nobody says so in time."""
        try:
            async with asyncio.timeout(self._seconds), self._turn:
                return await _looked_up(host, port)
        except TimeoutError:
            raise Unreachable(f"Nobody said in time what the address of {host} is.") from None
        except (OSError, UnicodeError):
            raise Unreachable(f"There is no host {host}.") from None


async def _looked_up(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def look_up() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer, error = list(dict.fromkeys(str(entry[4][0]) for entry in entries)), None
        except (OSError, UnicodeError) as failed:
            answer, error = [], failed
        with suppress(RuntimeError):  # The loop has ended.
            loop.call_soon_threadsafe(_settle, found, answer, error)

    # Not in asyncio's own threads: at the end everybody would wait for a resolver that does not answer.
    threading.Thread(target=look_up, daemon=True, name="resolve").start()
    return await found


def _settle(found: asyncio.Future[list[str]], answer: list[str], error: Exception | None) -> None:
    if found.done():
        return
    if error is None:
        found.set_result(answer)
    else:
        found.set_exception(error)


def check(found: Collection[str], *, is_trusted: bool, host_addresses: Collection[str] = ()) -> None:
    """Private unless all of them are ones to which a box may be led, and none is this machine's.

    `host_addresses` are those of the machine around the sidecar, where it cannot see them itself.
    """
    allowed = addresses.neighbouring if is_trusted else addresses.public
    for address in found:
        if not allowed(address) or address in host_addresses or is_own(address):
            raise Private


def is_own(address: str) -> bool:
    """Whether this machine has the address: only one's own can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        probe = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:
            return False
        raise
    with probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True


async def connect(found: list[str], port: int, *, seconds: float) -> Stream:
    """A connection to the first of these addresses that takes one. Unreachable."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            for left, address in zip(range(len(found), 0, -1), found, strict=True):
                with suppress(OSError):
                    async with asyncio.timeout(seconds / left):
                        return await asyncio.open_connection(
                            address, port, limit=64 * 1024, flags=socket.AI_NUMERICHOST
                        )
    raise Unreachable("It does not take connections.")
