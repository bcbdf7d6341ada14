"""The engine of the soak's driver: makes fake sidecars by forking itself, so that one costs milliseconds.

`python -m tests.soak.nursery FOLDER` listens on FOLDER/nursery.sock, takes one request per connection, and
ends, with everything that it made, when its standard input ends. `ask` is the other end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from openagent.management import tethered
from tests.soak import sidecars

SOCKET = "nursery.sock"
RECORDS = "records"
_LONGEST = 1 << 20


@dataclass
class Child:
    """One instance; `exit_code` is None while it lives and when a signal ended it."""

    volume: str
    pid: int
    alive: bool = True
    exit_code: int | None = None


def ask(folder: Path, **request: Any) -> dict[str, Any]:
    """The nursery's answer. OSError when there is none."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(folder / SOCKET))
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as answer:
            found: dict[str, Any] = json.loads(answer.readline(_LONGEST))
            return found


class Nursery:
    """Does one thing at a time, and has no threads: it forks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: dict[str, Child] = {}
        self._listener = socket.socket(socket.AF_UNIX)

    def run(self) -> None:
        for name in (RECORDS, "journals"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        self._listener.bind(str(self._folder / SOCKET))
        self._listener.listen(64)
        print("ready", flush=True)
        # Nobody reads on: what the sidecars say goes where the errors go, or they would wait for a reader.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        try:
            while sys.stdin not in select.select([self._listener, sys.stdin], [], [])[0]:
                self._serve()
        finally:
            self._end()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(5)
        # Whoever asks may be killed in the midst of it.
        with connection, contextlib.suppress(OSError, json.JSONDecodeError):
            with connection.makefile("rb") as lines:
                request = json.loads(lines.readline(_LONGEST))
            connection.sendall(json.dumps(self._answer(request)).encode() + b"\n")

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        self._reap()
        match request["do"]:
            case "create":
                return self._create(request["config"], request["volume"])
            case "forget":
                self._children.pop(request["instance"], None)
        return {name: asdict(child) for name, child in self._children.items()}

    def _create(self, config: dict[str, Any], volume: str) -> dict[str, Any]:
        if config["instance"] not in self._children:
            if any(child.alive and child.volume == volume for child in self._children.values()):
                return {"error": "volume_busy"}
            self._children[config["instance"]] = Child(volume, self._fork(config, volume))
        return {"instance_id": config["instance"], "volume": volume}

    def _fork(self, config: dict[str, Any], volume: str) -> int:
        if pid := os.fork():
            return pid
        code = 1
        try:
            tethered.end_with_parent()
            self._listener.close()
            config["journal"] = str(self._folder / "journals" / volume)
            code = asyncio.run(sidecars.live(config, self._folder / RECORDS / f"{volume}.jsonl"))
        finally:
            os._exit(code)

    def _reap(self) -> None:
        for child in self._children.values():
            if child.alive and (ended := os.waitpid(child.pid, os.WNOHANG))[0]:
                code = os.waitstatus_to_exitcode(ended[1])
                child.alive, child.exit_code = False, code if code >= 0 else None

    def _end(self) -> None:
        self._reap()
        living = [child for child in self._children.values() if child.alive]
        for child in living:
            os.kill(child.pid, signal.SIGKILL)
        for child in living:
            os.waitpid(child.pid, 0)


if __name__ == "__main__":
    Nursery(Path(sys.argv[1])).run()
