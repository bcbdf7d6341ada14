"""What surrounds a session in its instance: the box, the parts it is made of, and whom it asks and tells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from sidecar.agents import registry
from sidecar.agents.base import Agent, Box
from sidecar.box_server import BoxServer, GateHandler
from sidecar.config import Config
from sidecar.ending import Ending
from sidecar.gate.allowance import Allowance
from sidecar.journal import Disk
from sidecar.preparation import Place, Preparation
from sidecar.terminals import desk
from sidecar.workspace.changes import Changes
from sidecar.workspace.files import Files

MODELS, EGRESS, GIT = "models", "egress", "git"
"""The names of the gates that lead to the models, to other hosts, and to repositories."""


def gates(serve: Callable[..., Awaitable[None]]) -> dict[str, GateHandler]:
    """What serves the connections to each gate: `serve`, which is told the name of the gate first."""
    return {name: partial(serve, name) for name in (MODELS, EGRESS, GIT)}


class BoxDoor(Box, Files, desk.Box, Protocol):
    """The box, as `sidecar.box_server.BoxServer` has it."""

    lost: asyncio.Event
    lost_reason: str

    @property
    def gate_ports(self) -> dict[str, int]: ...

    async def start(self) -> None: ...

    async def connected(self, timeout: float, /) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What an instance is made of; tests put others in their place."""

    get_agent: Callable[[str], Agent] = registry.get_agent
    make_box: Callable[[Path, Mapping[str, GateHandler]], BoxDoor] = BoxServer
    disk: Disk = field(default_factory=Disk)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a session needs of its instance."""

    config: Config
    parts: Parts
    box: BoxDoor
    place: Place
    changes: Changes
    preparation: Preparation
    key: Callable[[str], Awaitable[str]]
    allowance: Allowance
    on_end: Callable[[Ending], None]
    spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    ready: asyncio.Event
