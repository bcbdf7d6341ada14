"""The driver of the soak: its instances are fake sidecars in processes of their own, made by the nursery."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from django.conf import settings

from sessions_app.drivers.base import Driver, DriverError, InstanceSpec, InstanceState, OnStage, Ref
from tests.soak import nursery

GRACE_SECONDS = 6.0
POLL_SECONDS = 0.02


class NurseryDriver(Driver):
    """A sidecar that does not end when it is asked to is killed after GRACE_SECONDS."""

    name = "nursery"

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(settings.OPENAGENT_DATA_DIR) / "nursery"

    def create(self, spec: InstanceSpec, on_stage: OnStage = lambda _: None) -> Ref:
        link = {"unix": str(spec.link)} if isinstance(spec.link, Path) else {"url": spec.link}
        config = {"instance": spec.instance_id, "token": spec.token, "link": link}
        on_stage("image")
        ref = self._ask(do="create", volume=spec.volume, config=config)
        if code := ref.get("error"):
            raise DriverError("An earlier instance still runs.", code=code, permanent=False)
        on_stage("volume")
        return ref

    def inspect(self, ref: Ref) -> InstanceState:
        found = self._ask(do="look").get(ref.get("instance_id", ""))
        if found is None:
            return InstanceState(alive=False, detail="It is not there.")
        detail = "It runs." if found["alive"] else f"The sidecar ended with {found['exit_code']}."
        return InstanceState(alive=found["alive"], exit_code=found["exit_code"], detail=detail)

    def remove(self, ref: Ref) -> None:
        instance = ref["instance_id"]
        self._signal(instance, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while self.inspect(ref).alive:
            if time.monotonic() > deadline:
                self._signal(instance, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        self._ask(do="forget", instance=instance)

    def list(self) -> list[Ref]:
        return [
            {"instance_id": name, "volume": found["volume"]} for name, found in self._ask(do="look").items()
        ]

    def logs(self, ref: Ref, lines: int) -> str:
        return ""

    def volume_bytes(self, volume: str) -> int | None:
        return None  # There are no disks.

    def remove_volume(self, volume: str) -> None:
        if any(found["volume"] == volume for found in self._ask(do="look").values()):
            raise DriverError("An instance still uses it.", code="volume_busy", permanent=False)
        shutil.rmtree(self._folder / "journals" / volume, ignore_errors=True)

    def _signal(self, instance: str, number: int) -> None:
        found = self._ask(do="look").get(instance)
        if found is not None and found["alive"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(found["pid"], number)

    def _ask(self, **request: Any) -> dict[str, Any]:
        try:
            return nursery.ask(self._folder, **request)
        except OSError as error:
            raise DriverError("The nursery does not answer.", code="engine_away", permanent=False) from error
