"""Every way out of a box that is tried in tests, from inside of a real one, and which of them lead anywhere.

The hosts that are allowed are played by this machine. Beside them there are this machine itself, with
services like those of a platform, and another live session, with its own box, sidecar and gate.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tests.container_product import own_address
from tests.fakes.probe_link import Probe

PUBLIC = "93.184.216.34"

# Run in the box: tries every way that there is, and says which of them got anywhere.
TRIES = r"""
import json, os, socket, subprocess, sys
wanted = json.loads(sys.argv[1])
went = []

def attempt(name, call):
    try:
        if call():
            went.append(name)
    except OSError:
        pass

def tcp(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as s:
        s.settimeout(2)
        s.connect((host, port))
        return True

def udp(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.sendto(b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x10\x00\x01", (host, port))
        return True

def icmp(host):
    for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
        try:
            with socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP) as s:
                s.sendto(b"\x08\x00\xf7\xff\x00\x00\x00\x00", (host, 0))
                return True
        except OSError:
            continue
    return False

def through(line):
    with socket.create_connection(("127.0.0.1", 7002), 20) as s:
        s.settimeout(20)
        s.sendall(line.encode("utf-8", "surrogateescape") + b"\r\nHost: a\r\n\r\n")
        return s.recv(65536).split()[1] == b"200"

for host in wanted["addresses"]:
    for port in wanted["ports"]:
        attempt(f"tcp {host} {port}", lambda: tcp(host, port))
        attempt(f"udp {host} {port}", lambda: udp(host, port))
    if ":" not in host:
        attempt(f"icmp {host}", lambda: icmp(host))
for port in wanted.get("loopback", ()):
    attempt(f"tcp loopback {port}", lambda: tcp("127.0.0.1", port))
for name in wanted["names"]:
    attempt(f"dns {name}", lambda: socket.getaddrinfo(name, 80))
for path in wanted["sockets"]:
    def local(path=path):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            return True
    attempt(f"unix {path}", local)
for authority in wanted["authorities"]:
    attempt(f"connect {authority}", lambda: through(f"CONNECT {authority} HTTP/1.1"))
    attempt(f"get {authority}", lambda: through(f"GET http://{authority}/ HTTP/1.1"))
print(json.dumps(went))
"""

# In the other session's box: a service for its own use, on every kind of socket.
OTHERS_PORT = 18080
OTHERS_NAME = "\0openagent-other"
SERVE = f"""
import os, socket
tcp = socket.create_server(("0.0.0.0", {OTHERS_PORT}))
unix = socket.socket(socket.AF_UNIX)
unix.bind({OTHERS_NAME!r})
unix.listen()
if os.fork():
    os._exit(0)
os.setsid()
nothing = os.open("/dev/null", os.O_RDWR)
for number in (0, 1, 2):
    os.dup2(nothing, number)
while True:
    tcp.accept()
"""

AUTHORITIES = (
    "listed.example:80",
    "listed.example:22",
    "other.example:80",
    "rebound.example:80",
    f"{PUBLIC}:80",
)
NAMES = {
    "listed.example": [PUBLIC],
    "other.example": [PUBLIC],
    "rebound.example": [PUBLIC, "127.0.0.1"],
}
_LISTS: dict[str, Any] = {"hosts": ["listed.example", "rebound.example"], "never": ["never.example"]}
ODD = ["127.1", "0", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1", "127.0.0.1.", "localhost."]


@contextmanager
def agreeing(address: str) -> Iterator[int]:
    """The port of a service that says yes to whatever it hears."""
    server = socket.create_server((address, 0))

    def agree(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(20)
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            # Each has its time: one that says nothing holds nobody up.
            threading.Thread(target=agree, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


@dataclass
class Surroundings:
    """What is around a box: another one, and the service that plays all hosts.

    `sidecars` are addresses of sidecars, this box's and the other's, where they have any; `sockets` are files
    that are sockets of others.
    """

    other: Probe
    far: int
    far_address: str = "127.0.0.1"
    sidecars: Sequence[str] = ()
    sockets: Sequence[str] = ()


def check(probe: Probe, around: Surroundings) -> None:
    """Only what is allowed gets out, whatever holds."""
    assert around.other.box("python3", "-c", SERVE)[0] == 0
    # Whoever has it reaches it: the tries find something where there is something.
    own = {"addresses": ["127.0.0.1"], "ports": [OTHERS_PORT], "names": [], "authorities": []}
    found = _went(around.other, {**own, "sockets": [OTHERS_NAME]})
    assert {f"tcp 127.0.0.1 {OTHERS_PORT}", f"unix {OTHERS_NAME}"} <= found
    with ExitStack() as services:
        # As a platform listens: for everybody, and for this machine only.
        ports = [services.enter_context(agreeing(address)) for address in ("0.0.0.0", "127.0.0.1")]
        _check(probe, around, [*ports, OTHERS_PORT])


def _check(probe: Probe, around: Surroundings, ports: list[int]) -> None:
    tries = _tries(around, ports)
    far: dict[str, Any] = {"names": NAMES, "far": around.far, "far_address": around.far_address}
    probe.egress(policy="none", **far, **_LISTS)
    assert _went(probe, tries) == set()
    probe.egress(policy="allow-list", **far, **_LISTS)
    assert _went(probe, tries) == {"connect listed.example:80", "get listed.example:80"}
    # Whatever a user lists and an administrator trusts, this machine is not reached.
    every = [each for each in tries["authorities"] if "listed" not in each]
    # Nor is a sidecar, which nobody would take for a registry: their network does not let them reach others.
    every = [each for each in every if each.rpartition(":")[0] not in around.sidecars]
    own: dict[str, Any] = {"hosts": [*every, own_address(), "localhost"], "trusted": every}
    probe.egress(policy="full", **far, **own)
    public = {f"{PUBLIC}:80", "other.example:80", "listed.example:80"}
    assert _went(probe, tries) == {f"{way} {each}" for way in ("connect", "get") for each in public}


def _went(probe: Probe, wanted: dict[str, Any]) -> set[str]:
    """Which of the ways got anywhere."""
    code, output = probe.box("python3", "-c", TRIES, json.dumps(wanted))
    assert code == 0, output
    return set(json.loads(output.splitlines()[-1]))


def _tries(around: Surroundings, ports: list[int]) -> dict[str, Any]:
    own = own_address()
    everywhere = ["127.0.0.1", "localhost", own, "[::1]", "0.0.0.0", "169.254.169.254", "[fd00:ec2::254]"]
    addresses = ["1.1.1.1", own, *around.sidecars, "169.254.169.254", "10.0.0.1", "2606:4700::1111"]
    return {
        "addresses": [*addresses, "fd00:ec2::254"],
        "loopback": ports,
        "ports": [80, *ports],
        "names": ["example.com", "listed.example"],
        "sockets": [OTHERS_NAME, *around.sockets],
        "authorities": [
            *(f"{name}:{port}" for name in [*everywhere, *around.sidecars, *ODD] for port in (80, *ports)),
            *("[::ffff:127.0.0.1]:80", "[64:ff9b::7f00:1]:80", f"[::ffff:{own}]:80", f"user@{own}:80"),
            *AUTHORITIES,
        ],
    }
