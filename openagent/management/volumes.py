"""Saves disks that are volumes of the engine, one tar each, and brings them back.

No program runs for that: the engine itself reads and writes the volumes of a container that never starts.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import docker.errors

from openagent.lib import engine
from openagent.lib.engine import PREFIX
from openagent.management import images
from openagent.management.preparation import CannotStart

# Mounted where an instance has it, so that the engine gives a new one the owner that it has there.
_PLACES = {
    "home": ("box", "/home/agent"),
    "workspace": ("box", "/workspace"),
    "journal": ("sidecar", "/var/lib/openagent/journal"),
}


def save(installation: str, folder: Path) -> int:
    """Make the folder and fill it; how many volumes there are. It has its name when it is complete."""
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    unfinished.mkdir(mode=0o700)
    with images.connected() as client:
        names = _names(client, installation)
        for name in names:
            with (
                holding(client, name) as (container, place),
                (unfinished / f"{name}.tar").open("wb") as file,
            ):
                content, _ = client.api.get_archive(container, f"{place}/.")
                for part in content:
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
    unfinished.rename(folder)
    return len(names)


def check(folder: Path) -> None:
    """CannotStart when what is saved in it cannot be brought back: it is there, or an image is not."""
    with images.connected() as client:
        for role in engine.ROLES:
            _check_image(client, engine.current().image(role))
        there = {volume.name for volume in client.volumes.list()}
    if taken := sorted(file.stem for file in folder.glob("*.tar") if file.stem in there):
        raise CannotStart(
            f"The engine has {len(taken)} of the volumes in this backup, such as {taken[0]}: the "
            "installation is still here. Remove its containers and volumes first (docs/docker-driver.md), or "
            "restore it on another host."
        )


def restore(installation: str, folder: Path) -> int:
    """Make the volumes that are saved in the folder; how many there are."""
    saved = sorted(folder.glob("*.tar"))
    with images.connected() as client:
        for file in saved:
            volume = file.stem.removeprefix(f"openagent-{installation}-").rpartition("-")[0]
            labels = {f"{PREFIX}installation": installation, f"{PREFIX}volume": volume}
            client.volumes.create(file.stem, labels=labels)
            with holding(client, file.stem) as (container, place), file.open("rb") as content:
                client.api.put_archive(container, place, content)
    return len(saved)


def _names(client: docker.DockerClient, installation: str) -> list[str]:
    """Those that outlive an instance."""
    labels = [f"{PREFIX}installation={installation}", f"{PREFIX}volume"]
    found = client.volumes.list(filters={"label": labels})
    return sorted(volume.name for volume in found if f"{PREFIX}instance" not in volume.attrs["Labels"])


@contextlib.contextmanager
def holding(client: docker.DockerClient, name: str) -> Iterator[tuple[str, str]]:
    """A container with the volume, which does nothing; its id, and where in it the volume is."""
    role, place = _PLACES[name.rpartition("-")[2]]
    mount: dict[str, Any] = {"Type": "volume", "Source": name, "Target": place}
    config = {
        "Image": engine.current().image(role),
        "NetworkDisabled": True,
        "HostConfig": {"NetworkMode": "none", "ReadonlyRootfs": True, "CapDrop": ["ALL"], "Mounts": [mount]},
    }
    _check_image(client, str(config["Image"]))
    container = str(client.api.create_container_from_config(config)["Id"])
    try:
        yield container, place
    finally:
        client.api.remove_container(container, force=True)


def _check_image(client: docker.DockerClient, name: str) -> None:
    try:
        client.images.get(name)
    except docker.errors.ImageNotFound:
        raise CannotStart(f"There is no image {name}. Run: make images") from None
