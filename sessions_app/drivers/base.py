"""What every driver does: make, look at, list and remove instances on one kind of infrastructure.

A reference (`ref`) is the driver's own JSON, with `instance_id` in it; the platform stores it and reads
nothing else of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Ref = dict[str, Any]


class DriverError(Exception):
    """The engine could not do it. `permanent` says that trying again changes nothing until somebody acts."""

    def __init__(self, message: str, *, code: str, permanent: bool) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.permanent = permanent


@dataclass(frozen=True, kw_only=True)
class InstanceSpec:
    """What an instance is made from. `link` is where its sidecar finds the platform: a socket or a URL."""

    instance_id: str
    volume: str
    link: Path | str
    token: str
    agent: str

    def __repr__(self) -> str:
        """Without the token."""
        return f"InstanceSpec({self.instance_id})"


@dataclass(frozen=True, kw_only=True)
class InstanceState:
    """What the engine knows: whether both halves live, how the sidecar ended, and that in words."""

    alive: bool
    exit_code: int | None = None
    detail: str = ""


class Driver(ABC):
    """The interface; all methods are sync, may block, and raise DriverError.

    An instance is named by its id, so nothing can be made twice.
    """

    name: str

    @abstractmethod
    def create(self, spec: InstanceSpec) -> Ref:
        """Makes the pair, or finds the one that a call before this one made."""

    @abstractmethod
    def inspect(self, ref: Ref) -> InstanceState:
        """Looks at it; one that is not there is not alive."""

    @abstractmethod
    def remove(self, ref: Ref) -> None:
        """Lets the sidecar flush, ends both halves and leaves only the volumes. Absent is success.

        Returns only when nothing of it runs any more: the next generation may be made then.
        """

    @abstractmethod
    def list(self) -> list[Ref]:
        """Everything of this installation that the engine has, in whatever state."""

    @abstractmethod
    def logs(self, ref: Ref, lines: int) -> str:
        """The last lines that the sidecar and the box wrote."""
