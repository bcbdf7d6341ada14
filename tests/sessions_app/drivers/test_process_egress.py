"""From inside of a real box: what leads out is the gate, and through it only what is allowed.

The hosts that are allowed are played by this machine, or are this machine's own registries in the variants.
"""

from __future__ import annotations

import functools
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from openagent.lib import registries
from sessions_app.drivers.base import Ref
from tests.container_product import own_address
from tests.fakes.probe_link import Probe
from tests.sessions_app.drivers.conftest import Host

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


@pytest.fixture(scope="module")
def far() -> Iterator[int]:
    """Every host that is allowed: says yes to whatever it hears."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(0.2)
                try:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


@pytest.fixture
def box(host: Host) -> tuple[Ref, Probe]:
    return host.start()


def went(probe: Probe, wanted: dict[str, Any]) -> set[str]:
    """Which of the ways got anywhere."""
    code, output = probe.box("python3", "-c", TRIES, json.dumps(wanted))
    assert code == 0, output
    return set(json.loads(output.splitlines()[-1]))


def wanted(host: Host, ours: int, *authorities: str) -> dict[str, Any]:
    own = own_address()
    everywhere = ["127.0.0.1", "localhost", own, "[::1]", "0.0.0.0", "169.254.169.254", "[fd00:ec2::254]"]
    odd = ["127.1", "0", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1", "127.0.0.1.", "localhost."]
    return {
        "addresses": ["1.1.1.1", own, "169.254.169.254", "10.0.0.1", "2606:4700::1111", "fd00:ec2::254"],
        "ports": [80, ours],
        "names": ["example.com", "listed.example"],
        "sockets": [str(host.link.path), str(host.options.data / "instances")],
        "authorities": [
            *(f"{name}:{port}" for name in everywhere + odd for port in (80, ours)),
            *("[::ffff:127.0.0.1]:80", "[64:ff9b::7f00:1]:80", f"[::ffff:{own}]:80", f"user@{own}:80"),
            *authorities,
        ],
    }


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


def test_only_what_is_allowed_gets_out(host: Host, box: tuple[Ref, Probe], far: int) -> None:
    probe = box[1]
    tries = wanted(host, far, *AUTHORITIES)
    lists = {"hosts": ["listed.example", "rebound.example"], "never": ["never.example"]}
    probe.egress(policy="none", names=NAMES, far=far, **lists)
    assert went(probe, tries) == set()
    probe.egress(policy="allow-list", names=NAMES, far=far, **lists)
    assert went(probe, tries) == {"connect listed.example:80", "get listed.example:80"}
    # Whatever a user lists and an administrator trusts, this machine is not reached.
    every = [each for each in tries["authorities"] if "listed" not in each]
    own = {"hosts": [*every, own_address(), "localhost"], "trusted": every}
    probe.egress(policy="full", names=NAMES, far=far, **own)
    public = {f"{PUBLIC}:80", "other.example:80", "listed.example:80"}
    assert went(probe, tries) == {f"{way} {each}" for way in ("connect", "get") for each in public}


def test_a_refusal_can_be_read_by_who_runs_curl_or_git(box: tuple[Ref, Probe]) -> None:
    probe = box[1]
    probe.egress(policy="none")
    code, output = probe.box("curl", "-sS", "http://listed.example/")
    assert code == 0 and "policy: none" in output
    assert "does not let this box reach listed.example:80" in output
    for command in (["curl", "-sS"], ["git", "ls-remote"]):
        code, output = probe.box(*command, "https://listed.example/a.git")
        assert code != 0 and "403" in output
    blocked = {"host": "listed.example", "port": 443, "reason": "policy_none", "count": 2}
    assert ["egress.blocked", blocked] in probe.egress(policy="none")


@pytest.mark.variant
def test_git_clones_from_a_host_that_is_allowed(box: tuple[Ref, Probe], tmp_path: Path) -> None:
    script = """
    git init -q work; cd work
    git -c user.name=a -c user.email=a@b commit -q --allow-empty -m 'it came through'
    git clone -q --bare . ../repository.git && git -C ../repository.git update-server-info
    """
    subprocess.run(["bash", "-ec", script], cwd=tmp_path, check=True)
    serve = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        names = {"git.example": [PUBLIC]}
        box[1].egress(policy="allow-list", hosts=["git.example"], names=names, far=server.server_port)
        box[1].sh("git clone -q http://git.example/repository.git clone")
        assert "it came through" in box[1].sh("git -C clone log --format=%s")
        box[1].egress(policy="none", names=names, far=server.server_port)
        code, output = box[1].box("git", "clone", "-q", "http://git.example/repository.git", "another")
        assert code != 0 and "403" in output
        server.shutdown()
        thread.join(5)


@pytest.mark.variant
def test_packages_come_from_this_machines_registries(box: tuple[Ref, Probe]) -> None:
    found = registries.find(["pip", "npm"])
    if {each.tool for each in found.registries} != {"pip", "npm"} or found.unsure:
        pytest.skip(f"this machine's registries do not answer: {found.problems}")
    trusted = [f"{each.host}:{each.port}" for each in found.registries]
    pip = "pip install --quiet --no-deps --no-cache-dir --target /tmp/pip-$RANDOM six"
    npm = "mkdir -p /tmp/npm && cd /tmp/npm && npm install --no-audit --cache /tmp/cache-$RANDOM isexe"
    for policy, is_let in (("allow-list", True), ("none", False)):
        box[1].egress(policy=policy, trusted=trusted)
        for command in (pip, npm):
            code, output = box[1].box("bash", "-c", f"{command} 2>&1; code=$?; rm -rf /tmp/npm; exit $code")
            assert (code == 0) is is_let, output
            assert is_let or "policy" in output or "403" in output, output
