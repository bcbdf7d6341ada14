"""What a hostile program tries beside looking: git, core dumps, the network's traffic, the gate itself.

A part of `hunter.py`, which lies beside it in the box; standard library only.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

SECONDS = 3.0
ASKED = (
    "GET {path}/v1/models HTTP/1.1",
    "GET {path}/v1/files HTTP/1.1",
    "POST {path}/v1/chat/completions HTTP/1.1",
    "TRACE {path}/v1/chat/completions HTTP/1.1",
    "GET http://{host}{path}/v1/models HTTP/1.1",
    "CONNECT {host}:80 HTTP/1.1",
    "GET {path}/v1/models HTTP/1.1\r\nauthorization: Bearer attacker\r\nx-echo: 1",
    "nonsense",
)
"""Requests to the gate, whose every answer is looked at."""

Search = Callable[[str, Iterator[bytes]], None]


def poke(search: Search, masked: str) -> dict[str, Any]:
    """Try everything; what came of it. `masked` is what a program that crashes has in its memory."""
    search("git", iter([printed("git", "config", "--list", "--show-origin"), printed("git", "var", "-l")]))
    search("processes", iter([printed("ps", "auxeww")]))
    dumped = crash(masked)
    for path in dumped:
        with open(path, "rb") as file:
            search("core dump", iter([file.read()]))
    traffic, captured = capture()
    search("traffic", iter([traffic]))
    answers = asked_at_the_gate()
    search("gate", iter(answers))
    return {"core_dumps": dumped, "captured": captured, "answers": len(answers)}


def printed(*command: str) -> bytes:
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout + done.stderr


def crash(masked: str) -> list[str]:
    """Has a program crash that has something in its memory; the dumps that are left of it."""
    code = (
        "import os, sys; kept = bytes(b ^ 0x5A for b in bytes.fromhex(sys.argv[1])); os.kill(os.getpid(), 6)"
    )

    def allow() -> None:
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))

    done = subprocess.run([sys.executable, "-c", code, masked], preexec_fn=allow, check=False)
    assert done.returncode == -signal.SIGABRT
    return [name for name in os.listdir(".") if name.startswith("core")]


def capture() -> tuple[bytes, str]:
    """Traffic on all interfaces while the gate is asked, and why there is none."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as everything:
            everything.settimeout(0.2)
            asked_at_the_gate()
            found, until = b"", time.monotonic() + 1
            while time.monotonic() < until:
                try:
                    found += everything.recv(65536)
                except TimeoutError:
                    break
            return found, ""
    except OSError as error:
        return b"", str(error)


def asked_at_the_gate() -> list[bytes]:
    """What the model proxy says to requests that are no model calls, or not quite."""
    gate = urllib.parse.urlsplit(os.environ.get("GATE", ""))
    if gate.hostname is None or gate.port is None:
        return []
    return [_ask(gate.hostname, gate.port, line.format(path=gate.path, host=gate.hostname)) for line in ASKED]


def _ask(host: str, port: int, head: str) -> bytes:
    answer = b""
    with socket.create_connection((host, port), SECONDS) as connection:
        request = f"{head}\r\nhost: {host}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
        connection.sendall(request.encode())
        try:
            while piece := connection.recv(65536):
                answer += piece
        except OSError:
            pass
    return answer
