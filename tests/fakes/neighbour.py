"""Another machine on a private network of this one's: a network namespace with an address of its own."""

from __future__ import annotations

import ctypes
import ipaddress
import os
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

# In a network of this process only: others run such tests too.
_NETWORK = ipaddress.ip_network("10.83.0.0/16")[4 * secrets.randbelow(1 << 14)]
_OURS, ADDRESS = str(_NETWORK + 1), str(_NETWORK + 2)
_NEW_NETWORK = 0x40000000


def listen(process: int) -> socket.socket:
    """A socket that listens in the network of this process, at the neighbour's address."""
    made: list[socket.socket] = []

    def enter() -> None:
        with open(f"/proc/{process}/ns/net") as network:
            if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _NEW_NETWORK) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        made.append(socket.create_server((ADDRESS, 0)))

    # A thread has a network of its own, and this one ends at once.
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return made[0]


@contextmanager
def neighbour() -> Iterator[socket.socket]:
    """A listening socket of it. Skips where nobody may make one."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
        pytest.skip("only root can make a network")
    name = f"oan{secrets.token_hex(3)}"
    process = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    inside = ["nsenter", f"--net=/proc/{process.pid}/ns/net"]
    try:
        while os.readlink(f"/proc/{process.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            assert process.poll() is None
            time.sleep(0.01)
        peer = ["peer", "name", "there", "netns", str(process.pid)]
        for command in (
            ["ip", "link", "add", name, "type", "veth", *peer],
            ["ip", "address", "add", f"{_OURS}/30", "dev", name],
            ["ip", "link", "set", name, "up"],
            [*inside, "ip", "address", "add", f"{ADDRESS}/30", "dev", "there"],
            [*inside, "ip", "link", "set", "there", "up"],
        ):
            subprocess.run(command, check=True)
        with listen(process.pid) as listener:
            yield listener
    finally:
        # The link goes with the network of its other end.
        process.kill()
        process.wait()
