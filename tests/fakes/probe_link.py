"""The test's end of `probe_sidecar`: a platform that gives orders to the sidecars which call it."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

SECONDS = 90.0


class ProbeLink:
    """Listens where the platform would; `accept` waits for the next sidecar."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        path.chmod(0o666)
        self._server.listen()
        self._server.settimeout(SECONDS)
        self._probes: list[Probe] = []

    def accept(self) -> Probe:
        connection, _ = self._server.accept()
        probe = Probe(connection)
        self._probes.append(probe)
        return probe

    def close(self) -> None:
        for probe in self._probes:
            probe.close()
        self._server.close()
        self.path.unlink()


class Probe:
    """One sidecar that has called; `ready` waits for its box."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(SECONDS)
        self._connection = connection
        self._lines = connection.makefile("rb")
        self.hello = self._read()

    def ready(self) -> Probe:
        assert self._read() == {"ready": True}
        return self

    def box(self, *argv: str) -> tuple[int, str]:
        """Exit code and output of a program in the box."""
        answer = self._ask({"box": list(argv)})
        return answer["code"], answer["output"]

    def sh(self, script: str) -> str:
        """The output of a script in the box, which must succeed."""
        code, output = self.box("bash", "-c", script)
        assert code == 0, output
        return output

    def egress(
        self,
        *,
        names: dict[str, list[str]] | None = None,
        far: int = 0,
        far_address: str = "127.0.0.1",
        **holds: Any,
    ) -> list[Any]:
        """What the box may reach from here on (`sidecar.protocol.egress`); what the gate before told."""
        far_end = {"names": names or {}, "far": far, "far_address": far_address}
        told: list[Any] = self._ask({"egress": {**far_end, **holds}})["told"]
        return told

    def here(self, source: str) -> str:
        """What Python prints in the sidecar's view."""
        output: str = self._ask({"here": source})["output"]
        return output

    def flush_slowly(self, seconds: float) -> None:
        self._ask({"flush_seconds": seconds})

    def exit(self, code: int) -> None:
        """End the sidecar."""
        self._send({"exit": code})
        assert self._lines.read() == b""

    def close(self) -> None:
        self._lines.close()
        self._connection.close()

    def _ask(self, order: dict[str, Any]) -> Any:
        self._send(order)
        return self._read()

    def _send(self, order: dict[str, Any]) -> None:
        self._connection.sendall(json.dumps(order).encode() + b"\n")

    def _read(self) -> Any:
        return json.loads(self._lines.readline())
