"""Free ports for what binds them later: none that the system gives meanwhile to whoever asks for any."""

from __future__ import annotations

import random
import socket
from pathlib import Path

_LOWEST, _DEFAULT_END = 10_000, 32_768
_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 100


def free() -> int:
    """A port of 127.0.0.1 that nobody has bound; of all that the system gives to nobody, by chance."""
    # Not the one that the tests are ordered by: parallel runs would choose alike.
    chance = random.SystemRandom()
    for _ in range(_TRIES):
        port = chance.randrange(_LOWEST, _end())
        with socket.socket() as probe:
            # Connections that a server of before left behind are in nobody's way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port was found in {_TRIES} tries")


def _end() -> int:
    """Where those begin that the system gives; as usual if that leaves too few."""
    lowest = int(_GIVEN.read_text().split()[0]) if _GIVEN.exists() else _DEFAULT_END
    return lowest if lowest > _LOWEST + 1000 else _DEFAULT_END
