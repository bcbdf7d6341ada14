"""Says where the data of this checkout lives and what the places in it are called."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from openagent.lib import env

CHECKOUT = Path(__file__).resolve().parent.parent.parent

# A unix socket's path must fit into sun_path: 108 bytes, the closing zero included.
SOCKET_PATH_BYTES = 107


@dataclass(frozen=True)
class DataDir:
    """The places in one data directory."""

    root: Path

    @property
    def run(self) -> Path:
        """Sockets, locks and generated configuration: nothing that outlives a run."""
        return self.root / "run"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def static(self) -> Path:
        return self.root / "static"

    @property
    def sessions(self) -> Path:
        return self.root / "sessions"

    @property
    def agents(self) -> Path:
        """The coding agents, laid out as boxes see them: other users may be unable to enter the checkout."""
        return self.root / "agents"

    @property
    def database(self) -> Path:
        return self.root / "db.sqlite3"

    @property
    def redis_socket(self) -> Path:
        return self.run / "redis.sock"

    @property
    def link_socket(self) -> Path:
        """Where sidecars of this host reach the platform. They see all of its folder: only it is there."""
        return self.run / "link" / "link.sock"

    @property
    def supervisor_lock(self) -> Path:
        """Locked exclusively for as long as the platform runs; local instances end when it is freed."""
        return self.run / "supervisor.lock"

    @property
    def stopping(self) -> Path:
        """There while the platform stops: instances that are wanted now are for the next run to make."""
        return self.run / "stopping"

    @property
    def stopped(self) -> Path:
        """There since the platform was last asked to stop; its time of change is that moment."""
        return self.run / "stopped"

    @property
    def worker_ready(self) -> Path:
        """There once the worker of this run takes work."""
        return self.run / "worker-ready"

    @property
    def pulse(self) -> Path:
        """Where a part that `make up` does not look after says that it works, if the file is there."""
        return self.run / "pulse"

    @property
    def installation(self) -> Path:
        """Who we are to the container engine: all that we have there is named after it."""
        return self.root / "installation.json"

    @property
    def driver(self) -> Path:
        """Remembers which driver the first start chose: the sessions' disks are where that one keeps them."""
        return self.root / "driver"

    @property
    def chosen_driver(self) -> str:
        return self.driver.read_text().strip() if self.driver.exists() else "process"

    @property
    def secret_key(self) -> Path:
        return self.secrets / "secret-key"

    @property
    def key_encryption_key(self) -> Path:
        return self.secrets / "key-encryption-key"


def default_root() -> Path:
    """Root's data cannot live in the checkout: a dropped uid may be unable to enter a parent of it."""
    if os.geteuid() == 0:
        digest = hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:12]
        return Path("/var/lib/openagent") / digest
    return CHECKOUT / "var"


def current() -> DataDir:
    return DataDir(env.path("OPENAGENT_DATA_DIR", default_root()))
