"""Where the instances of a product are, seen from their host: their processes, their logs, their disks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any, Protocol

import docker
import docker.errors

from openagent.lib.engine import PREFIX
from sessions_app.drivers.docker_spec import volume_name
from tests.container_product import ContainerProduct
from tests.product import Product


class Site(Protocol):
    """Instances are named by their ids, disks by their sessions."""

    def processes(self, instance: str) -> dict[str, int]:
        """The process ids of its parts, by role; nothing while it is not made."""

    def log(self, instance: str) -> str:
        """What its sidecar has logged."""

    def volumes(self) -> dict[str, str]:
        """The disk of every instance that there is, by the instance's id."""

    def destroy(self, instance: str) -> None:
        """End all of it behind everybody's back; nothing when it is gone."""

    def workspace(self, volume: str) -> Path: ...

    def journal(self, volume: str) -> Path: ...


class ProcessSite:
    """What the process driver has in the data directory."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def processes(self, instance: str) -> dict[str, int]:
        try:
            content = json.loads((self._data / "instances" / instance / "keeper.json").read_text())
        except FileNotFoundError:
            return {}
        return {name: entry["pid"] for name, entry in content.items()}

    def log(self, instance: str) -> str:
        return (self._data / "instances" / instance / "log").read_text()

    def volumes(self) -> dict[str, str]:
        found = {}
        for folder in (self._data / "instances").iterdir():
            # It may be unfinished, or be removed at this moment.
            with contextlib.suppress(FileNotFoundError):
                found[folder.name] = str(json.loads((folder / "plan.json").read_text())["volume"])
        return found

    def destroy(self, instance: str) -> None:
        """Its keeper takes both halves along."""
        if keeper := self.processes(instance).get("keeper"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(keeper, signal.SIGKILL)

    def workspace(self, volume: str) -> Path:
        return self._data / "volumes" / volume / "workspace"

    def journal(self, volume: str) -> Path:
        return self._data / "journals" / volume


class ContainerSite:
    """What the docker driver has on the engine; its files are within reach of the engine's host only."""

    def __init__(self, engine: docker.DockerClient, data: Path) -> None:
        self._api = engine.api
        self._data = data

    @property
    def installation(self) -> str:
        return str(json.loads((self._data / "installation.json").read_text())["id"])

    def containers(self, instance: str = "") -> list[dict[str, Any]]:
        """All that the engine says of the containers of an instance, or of all instances."""
        # What counts a disk is of the installation and of no instance.
        of = f"{PREFIX}instance={instance}" if instance else f"{PREFIX}instance"
        wanted = [f"{PREFIX}installation={self.installation}", of]
        found = []
        for each in self._api.containers(all=True, filters={"label": wanted}):
            try:
                found.append(self._api.inspect_container(each["Id"]))
            except docker.errors.NotFound:
                continue
        return found

    def processes(self, instance: str) -> dict[str, int]:
        states = {_label(each, "role"): each["State"] for each in self.containers(instance)}
        return {role: state["Pid"] for role, state in states.items() if state["Running"]}

    def log(self, instance: str) -> str:
        (sidecar,) = (each for each in self.containers(instance) if _label(each, "role") == "sidecar")
        return str(self._api.logs(sidecar["Id"]).decode())

    def volumes(self) -> dict[str, str]:
        return {_label(each, "instance"): _label(each, "volume") for each in self.containers()}

    def destroy(self, instance: str) -> None:
        for container in self.containers(instance):
            with contextlib.suppress(docker.errors.NotFound):
                self._api.remove_container(container["Id"], force=True)

    def workspace(self, volume: str) -> Path:
        if (bounded := self._data / "volumes" / volume / "workspace").exists():
            return bounded
        return self._mountpoint(volume, "workspace")

    def journal(self, volume: str) -> Path:
        return self._mountpoint(volume, "journal")

    def _mountpoint(self, volume: str, what: str) -> Path:
        found = self._api.inspect_volume(volume_name(self.installation, volume, what))
        return Path(found["Mountpoint"])


def of(product: Product) -> Site:
    if isinstance(product, ContainerProduct):
        return ContainerSite(product.engine, product.data.root)
    return ProcessSite(product.data.root)


def _label(container: dict[str, Any], name: str) -> str:
    return str(container["Config"]["Labels"][f"{PREFIX}{name}"])
