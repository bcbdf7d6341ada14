"""The disks of the docker driver: one per session, with home and workspace, and one for journals.

With a limit, and where this host lets us, a disk is an ext4 file system in a sparse file of the data
directory, mounted while an instance uses it: then its size is a wall. Elsewhere it is volumes of the engine,
which bound nothing. A disk stays what it was made as.
"""

from __future__ import annotations

import functools
import os
import secrets
import subprocess
from pathlib import Path
from typing import Any

import docker.errors

from openagent.lib.engine import PREFIX
from sessions_app.drivers import docker_spec, files
from sessions_app.drivers.base import DriverError
from sessions_app.drivers.docker_engine import Engine

_SECONDS = 60
_PROBE_MB = 8
# What a file's blocks are counted in, whatever its file system has.
_BLOCK = 512
_MKFS_OPTIONS = "lazy_itable_init=1,lazy_journal_init=1"


class Disks:
    """Call what makes or removes while nobody else works on the volume."""

    def __init__(self, engine: Engine, *, data: Path, installation: str, limit_mb: int) -> None:
        self._engine = engine
        self._images = data / "disks"
        self._mounts = data / "volumes"
        self._installation = installation
        self._limit_mb = limit_mb

    @functools.cached_property
    def is_bounded(self) -> bool:
        """Whether disks that are made now have a size that is enforced."""
        if not self._limit_mb or os.geteuid() != 0:
            return False
        files.make_folder(self._images, mode=0o700)
        files.make_folder(self._mounts, mode=0o711)
        # Threads may look at the same time.
        probe = f".probe-{secrets.token_hex(4)}"
        try:
            self._make(probe, _PROBE_MB)
            self._mount(probe)
        except DriverError as error:
            if error.code == "disk_full":
                raise  # It says nothing about the host, and must not be remembered as if it did.
            return False
        except (OSError, subprocess.SubprocessError):
            return False
        else:
            return True
        finally:
            self._forget(probe)

    def exists(self, volume: str) -> bool:
        """Whether it was made before, and is there."""
        return self._image(volume).exists() or all(
            self._has_volume(what, volume) for what in ("home", "workspace")
        )

    def prepare(self, volume: str) -> list[dict[str, Any]]:
        """Make the disk if it is not there yet, and what else a volume has; the mounts of its box."""
        self._make_volume("journal", volume)
        if not self._image(volume).exists():
            if self._has_volume("home", volume) or not self.is_bounded:
                for what in ("home", "workspace"):
                    self._make_volume(what, volume)
                return docker_spec.disk_volumes(self._installation, volume)
            self._make(volume, self._limit_mb)
        folder = self._mount_for_box(volume)
        return docker_spec.disk_folders(folder)

    def taken(self, volume: str) -> int | None:
        """What the file of a bounded disk takes of this host, read from its blocks; None of others."""
        try:
            return self._image(volume).stat().st_blocks * _BLOCK
        except FileNotFoundError:
            return None

    def limit(self, volume: str) -> int | None:
        """How large it was made; None of those that nothing bounds."""
        try:
            return self._image(volume).stat().st_size
        except FileNotFoundError:
            return None

    def release(self, volume: str) -> None:
        """Nobody uses it for now. A disk that stays busy stays mounted, which hurts nobody."""
        if os.path.ismount(self._folder(volume)):
            subprocess.run(["umount", str(self._folder(volume))], check=False, capture_output=True)

    def remove(self, volume: str) -> None:
        """Delete it for ever; absent is success."""
        for what in ("home", "workspace", "journal"):
            name = docker_spec.volume_name(self._installation, volume, what)
            try:
                self._engine.api.remove_volume(name)
            except docker.errors.NotFound:
                continue
        self._forget(volume)

    def _image(self, volume: str) -> Path:
        return self._images / f"{volume}.ext4"

    def _folder(self, volume: str) -> Path:
        return self._mounts / volume

    def _make_volume(self, what: str, volume: str) -> None:
        """The engine fills a new one from the image, with the right owner."""
        self._engine.api.create_volume(
            docker_spec.volume_name(self._installation, volume, what),
            labels={f"{PREFIX}installation": self._installation, f"{PREFIX}volume": volume},
        )

    def _has_volume(self, what: str, volume: str) -> bool:
        try:
            self._engine.api.inspect_volume(docker_spec.volume_name(self._installation, volume, what))
        except docker.errors.NotFound:
            return False
        return True

    def _make(self, volume: str, megabytes: int) -> None:
        """Complete or not at all: it gets its name when it is a file system."""
        unfinished = self._images / f".{volume}.new"
        with unfinished.open("wb") as file:
            file.truncate(megabytes * 2**20)
        try:
            _run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", _MKFS_OPTIONS, str(unfinished))
        except BaseException as error:
            unfinished.unlink()
            if isinstance(error, subprocess.CalledProcessError):
                raise self._not_made(error) from error
            raise
        unfinished.rename(self._image(volume))

    def _not_made(self, error: subprocess.CalledProcessError) -> DriverError:
        said = error.stderr.decode(errors="replace").strip()
        if "No space left" in said:
            message = f"The disk of {self._images} is full. Free some space, then start the session again."
            return DriverError(message, code="disk_full", permanent=True)
        message = f"No disk can be made in {self._images}: {said[:200]}"
        return DriverError(message, code="disk_unusable", permanent=True)

    def _mount(self, volume: str) -> None:
        folder = self._folder(volume)
        files.make_folder(folder, mode=0o711)
        if not os.path.ismount(folder):
            _run("mount", "-o", "loop,nosuid,nodev,discard", str(self._image(volume)), str(folder))

    def _mount_for_box(self, volume: str) -> Path:
        """Mounted, also after a restart of the host, and with the folders that a box needs."""
        try:
            self._mount(volume)
        except (OSError, subprocess.SubprocessError) as error:
            raise DriverError(
                f"The disk {self._image(volume)} cannot be mounted. If it was moved here from another host, "
                "this one needs root and loop devices; if it is damaged, e2fsck repairs it.",
                code="disk_unusable",
                permanent=True,
            ) from error
        folder = self._folder(volume)
        owner = (docker_spec.BOX_USER, docker_spec.BOX_USER)
        for name in ("home", "workspace"):
            if not (folder / name).exists():
                files.make_folder(folder / name, mode=0o700, owner=owner)
        return folder

    def _forget(self, volume: str) -> None:
        folder = self._folder(volume)
        if os.path.ismount(folder):
            _run("umount", str(folder))
        if folder.is_dir():
            folder.rmdir()
        self._image(volume).unlink(missing_ok=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
