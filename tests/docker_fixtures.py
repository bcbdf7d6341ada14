"""Fixtures of tests with a real container engine: the engine, our images, and a docker driver on it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from openagent.management import images
from sessions_app.drivers.docker_options import Options
from sessions_app.drivers.limits import Limits
from tests import needs
from tests.fakes import docker_host
from tests.fakes.docker_host import DockerHost
from tests.product import AGENTS

BUILD_SECONDS = 900
"""The first test that needs the images may have to build them."""


@pytest.fixture(scope="session")
def container_engine() -> Iterator[docker.DockerClient]:
    client = docker.DockerClient(base_url=f"unix://{needs.docker()}", timeout=BUILD_SECONDS)
    yield client
    client.close()


@pytest.fixture(scope="session")
def real_images(container_engine: docker.DockerClient) -> dict[str, str]:
    """The ids of the images of this checkout, built when they are not there."""
    needs.opencode()
    return images.build(container_engine, AGENTS, say=print)


@pytest.fixture(scope="session")
def probe_images(container_engine: docker.DockerClient, real_images: dict[str, str]) -> dict[str, str]:
    return docker_host.probe_images(container_engine, real_images)


@pytest.fixture
def docker_data() -> Iterator[Path]:
    """Short enough for sockets, and below no folder that other users cannot enter."""
    folder = Path(tempfile.mkdtemp(prefix="oa-"))
    folder.chmod(0o711)
    yield folder
    subprocess.run(["/bin/rm", "-rf", "--one-file-system", str(folder)], check=True)


@pytest.fixture
def docker_options(docker_data: Path, probe_images: dict[str, str]) -> Options:
    return Options(
        data=docker_data,
        engine=docker_host.engine_settings(needs.docker(), probe_images),
        limits=Limits(memory_mb=256, processes=100, tmp_mb=16, file_mb=64),
        grace_seconds=2,
    )


@pytest.fixture
def dockers(docker_options: Options, container_engine: docker.DockerClient) -> Iterator[DockerHost]:
    with docker_host.started(docker_options, container_engine) as host:
        yield host
