"""A driver whose instances exist in memory only: it keeps the promises of real ones, or fails as told."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field

from sessions_app.drivers.base import (
    Driver,
    DriverError,
    InstanceSpec,
    InstanceState,
    OnStage,
    Ref,
    volume_gone,
)


@dataclass
class FakeInstance:
    """One instance: what it was made from, and whether and how it ended."""

    spec: InstanceSpec
    state: InstanceState = field(default_factory=lambda: InstanceState(alive=True, detail="Runs."))
    log: list[str] = field(default_factory=list)


class FakeDriver(Driver):
    """`instances` and `volumes` are all there is; `calls` tells what was asked, `fail_next` spoils a call.

    A disk is as large as what is on it, unless `sizes` says otherwise.
    """

    name = "fake"

    def __init__(self) -> None:
        self.instances: dict[str, FakeInstance] = {}
        self.volumes: dict[str, str] = {}
        self.sizes: dict[str, int | None] = {}
        self.limit: int | None = None
        self.calls: list[str] = []
        self._failures: list[tuple[str, DriverError]] = []
        self._lock = threading.RLock()

    def fail_next(self, call: str = "", *, code: str = "engine_away", permanent: bool = False) -> None:
        """The next call (of this name) raises DriverError; several of these are used up one by one."""
        error = DriverError(f"The engine fails: {code}.", code=code, permanent=permanent)
        self._failures.append((call, error))

    def end(self, instance_id: str, exit_code: int | None = 1, detail: str = "The sidecar ended.") -> None:
        """The instance ends by itself; None is the way it ends when its host is restarted."""
        self.instances[instance_id].state = InstanceState(alive=False, exit_code=exit_code, detail=detail)

    def create(self, spec: InstanceSpec, on_stage: OnStage = lambda _: None) -> Ref:
        with self._called("create"):
            _check(spec.instance_id)
            _check(spec.volume)
            if spec.instance_id not in self.instances:
                if any(one.spec.volume == spec.volume and one.state.alive for one in self.instances.values()):
                    raise _busy(spec.volume)
                if spec.is_used and spec.volume not in self.volumes:
                    raise volume_gone(spec.volume)
                on_stage("image")
                self.volumes.setdefault(spec.volume, "")
                on_stage("volume")
                self.instances[spec.instance_id] = FakeInstance(spec)
            return self._ref(self.instances[spec.instance_id])

    def inspect(self, ref: Ref) -> InstanceState:
        with self._called("inspect"):
            instance = self.instances.get(ref["instance_id"]) if ref else None
            return instance.state if instance else InstanceState(alive=False, detail="It is not there.")

    def remove(self, ref: Ref) -> None:
        with self._called("remove"):
            self.instances.pop(ref["instance_id"], None)

    def list(self) -> list[Ref]:
        with self._called("list"):
            return [self._ref(instance) for instance in self.instances.values()]

    def logs(self, ref: Ref, lines: int) -> str:
        with self._called("logs"):
            instance = self.instances.get(ref["instance_id"])
            return "\n".join(instance.log[-lines:]) if instance else ""

    def isolation(self) -> dict[str, str]:
        with self._called("isolation"):
            return {}

    def volume_bytes(self, volume: str) -> int | None:
        with self._called("volume_bytes"):
            _check(volume)
            return self.sizes.get(volume, len(self.volumes[volume])) if volume in self.volumes else None

    def volume_limit(self, volume: str) -> int | None:
        with self._called("volume_limit"):
            return self.limit if volume in self.volumes else None

    def remove_volume(self, volume: str) -> None:
        with self._called("remove_volume"):
            _check(volume)
            if any(instance.spec.volume == volume for instance in self.instances.values()):
                raise _busy(volume)
            self.volumes.pop(volume, None)

    def _called(self, name: str) -> threading.RLock:
        """The lock that a call holds, unless the call has to fail."""
        with self._lock:
            self.calls.append(name)
            for failure in self._failures:
                if failure[0] in ("", name):
                    self._failures.remove(failure)
                    raise failure[1]
        return self._lock

    def _ref(self, instance: FakeInstance) -> Ref:
        return {"instance_id": instance.spec.instance_id, "volume": instance.spec.volume}


def _check(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise DriverError("This is no name.", code="wrong_name", permanent=True)


def _busy(volume: str) -> DriverError:
    return DriverError(f"An instance still uses the volume {volume}.", code="volume_busy", permanent=False)
