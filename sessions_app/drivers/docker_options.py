"""What the docker driver is set up with: the engine, its runtime, and what a box and its disk may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from openagent.lib import engine
from openagent.lib.engine import EngineSettings
from sessions_app.drivers.limits import Limits


@dataclass(frozen=True, kw_only=True)
class Options:
    """`data` is the data directory. `runtime` is the engine's name of what runs boxes, such as runsc.

    A sidecar gets `grace_seconds` to flush before it is killed; 0 for `disk_mb` is no bound on a disk.
    """

    data: Path
    engine: EngineSettings
    runtime: str = "runc"
    is_root: bool = False
    cpus: int = 2
    disk_mb: int = 0
    limits: Limits = field(default_factory=Limits)
    grace_seconds: int = 5

    @property
    def locks(self) -> Path:
        return self.data / "locks"


def from_settings() -> Options:
    """As this installation is set up."""
    return Options(
        data=Path(settings.OPENAGENT_DATA_DIR),
        engine=engine.current(),
        runtime=settings.OPENAGENT_DOCKER_RUNTIME,
        is_root=settings.OPENAGENT_BOX_ROOT,
        cpus=settings.OPENAGENT_BOX_CPUS,
        disk_mb=settings.OPENAGENT_DISK_MB,
        limits=Limits(
            memory_mb=settings.OPENAGENT_BOX_MEMORY_MB,
            processes=settings.OPENAGENT_BOX_PROCESSES,
            tmp_mb=settings.OPENAGENT_BOX_TMP_MB,
        ),
    )
