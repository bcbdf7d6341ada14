"""A full data directory is told as one, and is not mistaken for a host that cannot bound disks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import docker.errors
import pytest

from openagent.lib.engine import EngineSettings
from sessions_app.drivers import docker_engine, files
from sessions_app.drivers.base import DriverError
from sessions_app.drivers.docker_disks import Disks
from sessions_app.drivers.docker_engine import Engine
from tests import needs
from tests.fakes.small_disk import small_disk


class NoVolumes:
    """An engine that makes volumes and never has one."""

    @property
    def api(self) -> NoVolumes:
        return self

    def create_volume(self, name: str, labels: dict[str, str]) -> None:
        assert name
        assert labels

    def inspect_volume(self, name: str) -> None:
        raise docker.errors.NotFound(name)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory on a disk of its own, in which there is room for names and for nothing else."""
    needs.tool("mkfs", shutil.which("mkfs.ext4"))
    with small_disk(tmp_path, size="16k"):
        yield tmp_path


def disks(data: Path) -> Disks:
    return Disks(cast(Engine, NoVolumes()), data=data, installation="test", limit_mb=64)


def test_a_full_disk_is_told_and_nothing_unfinished_stays(data: Path) -> None:
    small = disks(data)
    for _ in range(2):
        with pytest.raises(DriverError) as caught:
            small.prepare("disk")
        assert (caught.value.code, caught.value.permanent) == ("disk_full", True)
    assert list((data / "disks").iterdir()) == []


def test_threads_that_look_at_once_agree(tmp_path: Path) -> None:
    looking = [disks(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: one.is_bounded, looking))
    assert len(set(found)) == 1
    assert [path for folder in ("disks", "volumes") for path in (tmp_path / folder).glob("*")] == []


def test_what_a_file_refuses_is_not_called_an_absent_engine(tmp_path: Path) -> None:
    engine = EngineSettings(socket=tmp_path / "engine", sidecar="sidecar", box="box")
    with (
        pytest.raises(DriverError) as caught,
        files.explained(tmp_path),
        docker_engine.explained(engine),
    ):
        raise OSError(28, "No space left on device")
    assert caught.value.code == "disk_full"
