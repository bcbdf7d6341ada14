"""The real box program as a plain child process in a temporary folder: the box protocol without the walls.

    async with local_box(tmp_path, {"models": handler}) as box:
        process = await box.server.exec(["echo", "hello"])

The loopback ports of its gates are free ones of this machine: see `box.server.gate_ports`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sessions_app.drivers import box_network
from sidecar.box_server import BoxServer, GateHandler, Limits

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class LocalBox:
    """A connected box: orders go through `server`, `workspace` and `home` are folders of this machine."""

    server: BoxServer
    workspace: Path
    home: Path
    process: asyncio.subprocess.Process


@asynccontextmanager
async def local_box(
    folder: Path, gates: Mapping[str, GateHandler] | None = None, *, limits: Limits | None = None
) -> AsyncIterator[LocalBox]:
    """Start a box under `folder`, wait until it is connected, and end it afterwards."""
    workspace, home = folder / "workspace", folder / "home"
    workspace.mkdir(parents=True, exist_ok=True)
    home.mkdir(exist_ok=True)
    gates = gates or {}
    # Not under `folder`: the path of a socket has room for 107 bytes only.
    with tempfile.TemporaryDirectory(prefix="box-") as run:
        socket = Path(run) / "box.sock"
        server = BoxServer(socket, gates, gate_ports=dict.fromkeys(gates, 0), limits=limits)
        await server.start()
        process = await _start(socket, workspace, home)
        try:
            await server.connected(30)
            yield LocalBox(server, workspace, home, process)
        finally:
            await server.close()
            await asyncio.wait_for(process.wait(), 15)


async def ended(pid: int) -> None:
    """Wait until a process of this machine runs no more."""
    async with asyncio.timeout(20):
        with contextlib.suppress(OSError):  # It is gone while we look.
            while Path(f"/proc/{pid}/cmdline").read_bytes():
                await asyncio.sleep(0.01)


async def _start(socket: Path, workspace: Path, home: Path) -> asyncio.subprocess.Process:
    # As in a real box, all but loopback is behind a proxy; here nobody listens there.
    proxies = box_network.environment(bundle="", registries={})
    environment = {**os.environ, **proxies, "HOME": str(home), "PYTHONPATH": str(CHECKOUT)}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sidecar.box",
        str(socket),
        str(workspace),
        env=environment,
        cwd=workspace,
    )
