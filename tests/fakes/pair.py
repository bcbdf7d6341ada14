"""A sidecar and the platform it is linked to, both in this process.

async with Pair(tmp_path) as pair:
    await pair.ready()
    turn = pair.station.start_turn("say hello")
    await pair.ended(turn)
"""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from sidecar import config
from sidecar.agents.base import Agent
from sidecar.ending import Exit
from sidecar.journal import Disk
from tests.fakes.disk import NO_SYNC
from tests.fakes.platform import FakePlatform
from tests.fakes.scripted import ScriptedAgent
from tests.fakes.sidecar import FakeSidecar
from tests.fakes.station import Station


class Pair:
    """`next_generation` replaces the sidecar by its successor on the same journal."""

    def __init__(
        self,
        folder: Path,
        *,
        agent: Callable[[], Agent] = ScriptedAgent,
        limits: config.Limits | None = None,
        disk: Disk = NO_SYNC,
    ) -> None:
        self.journal = folder / "journal"
        self._agent = agent
        self._limits = limits
        self._disk = disk
        # A socket's path has room for 107 bytes only.
        self._run = tempfile.TemporaryDirectory(prefix="link-")
        self.platform = FakePlatform(Path(self._run.name) / "link.sock")
        self.station = self.platform.station(str(uuid.uuid4()))
        self.sidecar = self._make()

    def _make(self) -> FakeSidecar:
        return FakeSidecar(
            instance=self.station.instance,
            token="token-of-the-instance",
            link={"unix": str(self.platform.path)},
            journal=self.journal,
            agent=self._agent,
            limits=self._limits,
            disk=self._disk,
        )

    @property
    def agent(self) -> ScriptedAgent:
        assert isinstance(self.sidecar.agent, ScriptedAgent)
        return self.sidecar.agent

    async def __aenter__(self) -> Self:
        await self.platform.start()
        self.sidecar.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.sidecar.__aexit__(kind, error, trace)
        try:
            await self.platform.__aexit__(kind, error, trace)
        finally:
            self._run.cleanup()

    async def ready(self) -> None:
        """Claim the instance and wait until it says that it is ready."""
        self.station.claim()
        await self.station.until(lambda: "instance.started" in self.station.kinds())

    async def play(self, script: str) -> str:
        """A whole turn; its id."""
        turn = self.station.start_turn(script)
        await self.ended(turn)
        return turn

    async def ended(self, turn: str) -> None:
        await self.station.until(lambda: self.end_of(turn) is not None)

    def end_of(self, turn: str) -> dict[str, object] | None:
        """The data of the turn's end."""
        ends = [each for each in self.station.stored if each.kind == "turn.ended" and each.turn == turn]
        assert len(ends) <= 1, "a turn ended twice"
        return ends[0].data if ends else None

    async def exit(self, seconds: float = 60.0) -> Exit:
        """The sidecar's exit code, when it has one."""
        assert self.sidecar.ended is not None
        return await asyncio.wait_for(asyncio.shield(self.sidecar.ended), seconds)

    async def next_generation(self) -> Station:
        """What the platform does after an instance has ended: fence it off, and start the next one."""
        old = self.station
        # What it has sent is on the platform, or lost.
        await old.until(lambda: old.connection is None)
        new = self.platform.station(str(uuid.uuid4()))
        new.session, new.gen = old.session, old.gen + 1
        new.next_seq = old.last_seq + 1
        new.salvaged_to = {old.gen: old.last_seq}
        self.station = new
        self.sidecar = self._make()
        self.sidecar.start()
        return new
