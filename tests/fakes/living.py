"""A sidecar with the real box program as a child of this process, linked to a platform in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from sidecar import config
from sidecar.agents.base import Agent
from sidecar.box_server import BoxServer, GateHandler
from sidecar.protocol import frames
from sidecar.surroundings import Parts
from tests.fakes import local_box
from tests.fakes.disk import NO_SYNC
from tests.fakes.pair import Pair
from tests.fakes.scripted import ScriptedAgent


@asynccontextmanager
async def living(
    folder: Path,
    *,
    agent: Callable[[], Agent] = ScriptedAgent,
    limits: config.Limits | None = None,
    version: int = frames.PROTOCOL_VERSIONS[-1],
) -> AsyncIterator[Pair]:
    """Only the walls and the coding agent are missing; the platform speaks that version of the link."""
    (folder / "workspace").mkdir()
    (folder / "home").mkdir()
    pair = Pair(folder, agent=agent, limits=limits)
    pair.station.version = version
    socket = Path(pair._run.name) / "box.sock"

    def make_box(path: Path, gates: Mapping[str, GateHandler]) -> BoxServer:
        return BoxServer(socket, gates, gate_ports=dict.fromkeys(gates, 0))

    pair.sidecar.parts = Parts(get_agent=pair.sidecar._get_agent, make_box=make_box, disk=NO_SYNC)
    async with pair:
        while not socket.exists():
            await asyncio.sleep(0.01)
        box = await local_box._start(socket, folder / "workspace", folder / "home")
        try:
            yield pair
        finally:
            if box.returncode is None:
                box.kill()
            await box.wait()
