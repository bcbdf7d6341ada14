"""Where the container engine is, and what the images made for this checkout are called there."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from openagent.lib import env
from openagent.lib.data_dir import CHECKOUT

PREFIX = "org.openagent."
"""What the names of our labels begin with."""

ROLES = ("sidecar", "box")


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """The engine's socket and the names of the images that instances are made from."""

    socket: Path
    sidecar: str
    box: str

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def image(self, role: str) -> str:
        return self.sidecar if role == "sidecar" else self.box


def current() -> EngineSettings:
    """As the environment says. Checkouts on one engine have images of their own by default."""
    checkout = hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:12]
    return EngineSettings(
        socket=env.path("OPENAGENT_DOCKER_SOCKET", Path("/var/run/docker.sock")),
        sidecar=env.text("OPENAGENT_SIDECAR_IMAGE", f"openagent-sidecar:{checkout}"),
        box=env.text("OPENAGENT_BOX_IMAGE", f"openagent-box:{checkout}"),
    )
