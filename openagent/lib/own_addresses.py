"""Every address of this host, which no box may reach: its interfaces', and those that are named."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from pathlib import Path

from openagent.lib import env

# How the kernel lists its own addresses among its routes.
_LOCAL = re.compile(r"\|-- (\S+)\s+/32 host LOCAL")


def named() -> frozenset[str]:
    """In a container the interfaces are the container's, so the host's have to be named. SettingError."""
    words = env.words("OPENAGENT_HOST_ADDRESSES")
    try:
        return frozenset(str(ipaddress.ip_address(word)) for word in words)
    except ValueError as error:
        raise env.SettingError(f"OPENAGENT_HOST_ADDRESSES must be IP addresses: {error}.") from None


def of_interfaces(proc: Path = Path("/proc/net")) -> set[str]:
    """Those of every interface that this process sees."""
    found: set[str] = set()
    # A kernel without one of the two families has no file for it.
    with contextlib.suppress(FileNotFoundError):
        found |= set(_LOCAL.findall((proc / "fib_trie").read_text()))
    with contextlib.suppress(FileNotFoundError):
        numbers = [line.split()[0] for line in (proc / "if_inet6").read_text().splitlines()]
        found |= {str(ipaddress.IPv6Address(int(number, 16))) for number in numbers}
    return found
