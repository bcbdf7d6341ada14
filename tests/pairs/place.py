"""A product with the docker driver and a small agent, and what its engine has of it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import docker

from openagent.lib import engine
from openagent.lib.engine import PREFIX
from sessions_app.drivers import files
from tests.end_to_end.client import Client, first_run
from tests.end_to_end.custom_agents import WORKING, register_working
from tests.end_to_end.reader import Event, Reader
from tests.fakes import docker_host
from tests.product import Product, running

DISK_MB = 1024
DAY_PASSES = 24 * 60
"""Passes of a minute after which a session sleeps by itself: not while we measure."""


@dataclass(frozen=True)
class Place:
    """The product, its owner, and the engine."""

    product: Product
    client: Client
    engine: docker.DockerClient

    def session(self) -> str:
        return self.client.new_session(agent=WORKING, mode="auto")

    def containers(self, instance: str = "", role: str = "") -> list[str]:
        """The ids of what the engine has of this product's instances, in whatever state."""
        wanted = {"label": [*self._label().values(), f"{PREFIX}instance"]}
        found = self.engine.api.containers(all=True, filters=wanted)
        return [
            each["Id"]
            for each in found
            if instance in ("", each["Labels"][f"{PREFIX}instance"])
            and role in ("", each["Labels"][f"{PREFIX}role"])
        ]

    def box(self, session: str) -> str:
        """The container of a session that is awake."""
        (found,) = self.containers(self.client.session(session)["instance"]["id"], "box")
        return found

    def processes(self, container: str) -> list[tuple[int, str]]:
        """The number on this host and the command of each process in it; none when it has ended."""
        try:
            told = self.engine.api.top(container, "-o pid,args")
        except docker.errors.APIError:
            return []
        return [(int(number), command) for number, command in told["Processes"] or ()]

    def volumes(self) -> list[str]:
        """Whose they are, one for each volume of the engine and each disk of ours."""
        found = self.engine.api.volumes(filters=self._label())["Volumes"] or []
        disks = [path.stem for path in (self.product.data.root / "disks").glob("*.ext4")]
        return [each["Labels"][f"{PREFIX}volume"] for each in found] + disks

    def mounts(self) -> list[str]:
        """What of this product is mounted on the host."""
        return _mounts(self.product.data.root)

    def reap(self, sessions: list[str], *, passes: int) -> int:
        """The reaper's pass in which these have been idle for that many; how many fell asleep in it."""
        reaper = self.product.python("-m", "tests.soak.reaper")
        order = {"sessions": sessions, "at": time.monotonic(), "passes": passes - 1}
        output, errors = reaper.communicate(json.dumps(order) + "\n")
        assert reaper.returncode == 0, errors
        reaped: int = json.loads(output)["reaped"]
        return reaped

    def _label(self) -> dict[str, str]:
        known = files.read_json(self.product.data.root / "installation.json")
        assert known is not None, "the product has made nothing yet"
        return {"label": f"{PREFIX}installation={known['id']}"}


class Watch(Reader):
    """A browser's reader that also notes how long each piece of text was on its way, by one clock."""

    def __init__(self, client: Client, session: str) -> None:
        super().__init__(client, session)
        self.latencies_ms: list[float] = []

    def _take_events(self, events: list[Event]) -> bool:
        now = time.time()
        if self.is_live:
            written = [event["ts"] for event in events if event["kind"] == "message.delta"]
            self.latencies_ms += [1000 * (now - datetime.fromisoformat(each).timestamp()) for each in written]
        return super()._take_events(events)


@contextmanager
def place(*, sessions: int) -> Iterator[Place]:
    """Room for so many sessions. Nothing of it is left on the engine."""
    known = engine.current()
    known.reach()
    client = docker.DockerClient(base_url=f"unix://{known.socket}", timeout=120)
    environment: dict[str, Any] = {
        "OPENAGENT_DRIVER": "docker",
        "OPENAGENT_DOCKER_SOCKET": str(known.socket),
        "OPENAGENT_LIVE_SESSIONS": str(sessions),
        "OPENAGENT_LIVE_SESSIONS_PER_USER": str(sessions),
        "OPENAGENT_IDLE_SECONDS": f"{DAY_PASSES}m",
        "OPENAGENT_DELETE_GRACE_SECONDS": "0",
        "OPENAGENT_BOX_MEMORY_MB": "512",
        "OPENAGENT_BOX_PROCESSES": "256",
        "OPENAGENT_DISK_MB": str(DISK_MB),
    }
    with running(**environment) as product:
        try:
            owner = first_run(product.url)
            register_working(product.url)
            yield Place(product, owner, client)
            owner.close()
        finally:
            product.stop()
            docker_host.clean_engine(client, product.data.root)
            client.close()
            for point in _mounts(product.data.root):
                subprocess.run(["umount", point], check=True)


def _mounts(folder: Path) -> list[str]:
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [point for point in points if Path(point).is_relative_to(folder)]
