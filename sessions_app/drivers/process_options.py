"""What the process driver is set up with: where things are, and what a box and a sidecar may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from sessions_app.drivers.host_uids import RANGE
from sessions_app.drivers.limits import Limits


@dataclass(frozen=True, kw_only=True)
class Options:
    """`data` is the data directory, `agents` the agents as boxes see them, `sidecar` the package's folder.

    Instances end when nobody holds `supervisor_lock`; a lock that does not exist is not watched. A sidecar
    gets `grace_seconds` to flush before it is killed.
    """

    data: Path
    agents: Path
    sidecar: Path
    supervisor_lock: Path | None = None
    limits: Limits = field(default_factory=Limits)
    sidecar_limits: Limits = field(default_factory=lambda: Limits(memory_mb=512, processes=256))
    grace_seconds: float = 5.0
    uids: range = RANGE

    @property
    def instances(self) -> Path:
        return self.data / "instances"

    @property
    def runtime(self) -> Path:
        return self.data / "runtime"

    @property
    def locks(self) -> Path:
        return self.data / "locks"

    def volume(self, name: str) -> Path:
        return self.data / "volumes" / name

    def journal(self, name: str) -> Path:
        return self.data / "journals" / name


def from_settings() -> Options:
    """As this installation is set up."""
    return Options(
        data=Path(settings.OPENAGENT_DATA_DIR),
        agents=Path(settings.OPENAGENT_AGENTS_DIR),
        sidecar=Path(settings.BASE_DIR) / "sidecar",
        supervisor_lock=Path(settings.OPENAGENT_SUPERVISOR_LOCK),
        limits=Limits(
            memory_mb=settings.OPENAGENT_BOX_MEMORY_MB,
            processes=settings.OPENAGENT_BOX_PROCESSES,
            tmp_mb=settings.OPENAGENT_BOX_TMP_MB,
        ),
        sidecar_limits=Limits(memory_mb=settings.OPENAGENT_SIDECAR_MEMORY_MB, processes=256),
        uids=range(
            settings.OPENAGENT_UIDS_FIRST, settings.OPENAGENT_UIDS_FIRST + settings.OPENAGENT_UIDS_COUNT
        ),
    )
