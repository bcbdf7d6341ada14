"""What every driver does: make, look at, list and remove instances on one kind of infrastructure.

A reference (`ref`) is the driver's own JSON, with `instance_id` in it; the platform stores it and reads
nothing else of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Ref = dict[str, Any]
Stage = Literal["image", "volume"]
"""What `create` has got together: what will run, and the session's disk."""
OnStage = Callable[[Stage], None]


class DriverError(Exception):
    """The engine could not do it. `permanent` says that trying again changes nothing until somebody acts."""

    def __init__(self, message: str, *, code: str, permanent: bool) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.permanent = permanent


@dataclass(frozen=True, kw_only=True)
class InstanceSpec:
    """What an instance is made from.

    `agent` is the built-in agent that must be there for boxes, empty for one that somebody registered.

    `is_used`: the volume has somebody's work on it, so without it there is nothing to go on with.
    `registries` tells programs in the box of the package registries of this host, as environment.
    `link` is where its sidecar finds the platform, a socket or a URL; `silence_seconds` is how long a model
    provider may say nothing.
    """

    instance_id: str
    volume: str
    link: Path | str
    token: str
    agent: str
    is_used: bool = False
    silence_seconds: float = 240.0
    registries: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Without the token."""
        return f"InstanceSpec({self.instance_id})"


@dataclass(frozen=True, kw_only=True)
class InstanceState:
    """What the engine knows: whether both halves live, how the sidecar ended, and that in words."""

    alive: bool
    exit_code: int | None = None
    detail: str = ""


def volume_gone(place: str) -> DriverError:
    """A session's disk is not there any more; an empty one would look as if nothing had ever been on it."""
    return DriverError(
        f"The session's disk is not there any more ({place}). Restore it from a backup, then start it "
        "again; what was said is still here.",
        code="volume_gone",
        permanent=True,
    )


class Driver(ABC):
    """The interface; all methods are sync, may block, may be called by several processes at once, and raise
    DriverError. `tests/contract/drivers` holds every driver to what is said here.

    An instance is named by its id and lives once: whatever ended is never started again under the same id.
    """

    name: str

    @abstractmethod
    def create(self, spec: InstanceSpec, on_stage: OnStage = lambda _: None) -> Ref:
        """Make the pair, or find the one, alive or ended, that an earlier call made. Equal calls, equal refs.

        `on_stage` hears of each stage once, in order, when the pair is made and not found.

        A volume that is not there yet is made, but not in place of one that was used: `volume_gone`, and
        permanent, until it is restored. While an earlier instance lives on the volume, the error is
        `volume_busy`, and not permanent. A failed call leaves nothing behind and may be repeated.
        """

    @abstractmethod
    def inspect(self, ref: Ref) -> InstanceState:
        """Look at it; one that was never made, was removed, or whose host was restarted is not alive."""

    @abstractmethod
    def remove(self, ref: Ref) -> None:
        """Let the sidecar flush, end both halves and leave only the volume. Absent is success.

        Returns only when nothing of it runs any more: the next generation may be made then.
        """

    @abstractmethod
    def list(self) -> list[Ref]:
        """Everything of this installation that the engine has, in whatever state; no instance twice."""

    @abstractmethod
    def logs(self, ref: Ref, lines: int) -> str:
        """The last lines of each half, fit to be shown; empty when it is not there."""

    def isolation(self) -> dict[str, str]:
        """What holds boxes here, by name, for administrators."""
        return {}

    @abstractmethod
    def volume_bytes(self, volume: str) -> int | None:
        """What the session's files take of their disk, alive or not, in bytes; the journal is not among them.

        Counted where the box has no say, in at most some `disk_use.SECONDS`; holds up nobody who makes or
        removes an instance of it. None where it cannot be told: it is not there, or too much for that time.
        """

    def volume_limit(self, volume: str) -> int | None:
        """How large that disk can get, in bytes; None where nothing bounds it."""
        return None

    @abstractmethod
    def remove_volume(self, volume: str) -> None:
        """Delete a volume and what its sidecars kept, for ever. Absent is success.

        `volume_busy`, and not permanent, while there is an instance of it, alive or not: remove that first.
        """
