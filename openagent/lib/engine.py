"""Where the container engine is, and what the images made for this checkout are called there."""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from openagent.lib import env
from openagent.lib.data_dir import CHECKOUT

PREFIX = "org.openagent."
"""What the names of our labels begin with."""

ROLES = ("sidecar", "box")
"""What an instance is made from; the image of the platform itself is only for who runs it in containers."""

PLATFORM = "platform"

_REACH_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """The engine's socket, the names of the images that instances are made from, and what boxes get of it.

    `runtime` is the engine's name of what runs boxes; 0 for `disk_mb` is no bound on a disk.
    """

    socket: Path
    sidecar: str
    box: str
    platform: str = ""
    runtime: str = "runc"
    is_root: bool = False
    cpus: int = 2
    disk_mb: int = 0

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def reach(self) -> None:
        """OSError when nobody listens there; the library would find out too, and leave its socket open."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_REACH_SECONDS)
            probe.connect(str(self.socket))

    def image(self, role: str) -> str:
        return {"sidecar": self.sidecar, "box": self.box, "platform": self.platform}[role]


def concurrent_starts() -> int:
    """How many instances start at once: more at a time would only make each one slower."""
    return env.number("OPENAGENT_CONCURRENT_STARTS", 2 * (os.cpu_count() or 1), minimum=1)


def current() -> EngineSettings:
    """As the environment says. Checkouts on one engine have images of their own by default."""
    checkout = hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:12]
    return EngineSettings(
        socket=env.path("OPENAGENT_DOCKER_SOCKET", Path("/var/run/docker.sock")),
        sidecar=env.text("OPENAGENT_SIDECAR_IMAGE", f"openagent-sidecar:{checkout}"),
        box=env.text("OPENAGENT_BOX_IMAGE", f"openagent-box:{checkout}"),
        platform=env.text("OPENAGENT_PLATFORM_IMAGE", f"openagent-platform:{checkout}"),
        runtime=env.text("OPENAGENT_DOCKER_RUNTIME", "runc"),
        is_root=env.flag("OPENAGENT_BOX_ROOT"),
        cpus=env.number("OPENAGENT_BOX_CPUS", 2, minimum=1),
        disk_mb=env.number("OPENAGENT_DISK_MB", 10 * 1024),
    )
