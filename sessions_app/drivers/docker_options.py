"""What the docker driver is set up with: the data directory, the engine, and what a box may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from openagent.lib import engine
from openagent.lib.engine import EngineSettings
from sessions_app.drivers.limits import Limits


@dataclass(frozen=True, kw_only=True)
class Options:
    """`data` is the data directory. A sidecar gets `grace_seconds` to flush before it is killed.

    `host_addresses` are those of this host that its interfaces do not tell.
    """

    data: Path
    engine: EngineSettings
    limits: Limits = field(default_factory=Limits)
    sidecar_limits: Limits = field(default_factory=lambda: Limits(memory_mb=512, processes=128, tmp_mb=64))
    grace_seconds: int = 5
    host_addresses: frozenset[str] = frozenset()

    @property
    def locks(self) -> Path:
        return self.data / "locks"


def from_settings() -> Options:
    """As this installation is set up."""
    return Options(
        data=Path(settings.OPENAGENT_DATA_DIR),
        engine=engine.current(),
        limits=Limits(
            memory_mb=settings.OPENAGENT_BOX_MEMORY_MB,
            processes=settings.OPENAGENT_BOX_PROCESSES,
            tmp_mb=settings.OPENAGENT_BOX_TMP_MB,
        ),
        sidecar_limits=Limits(memory_mb=settings.OPENAGENT_SIDECAR_MEMORY_MB, processes=128, tmp_mb=64),
        host_addresses=settings.OPENAGENT_HOST_ADDRESSES,
    )
