"""A product whose instances are containers of the engine that the tests have."""

from __future__ import annotations

import socket
from pathlib import Path

import docker

from tests import needs
from tests.fakes import docker_host
from tests.product import Product


def own_address() -> str:
    """This host's address on its network, if it has one: containers reach it there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


class ContainerProduct(Product):
    """Its images have to be there, or its start builds them. Nothing of it stays on the engine."""

    maker = "provisioner"
    surroundings = own_address()

    def __init__(self, data: Path, *options: str, socket: Path | None = None, **environment: str) -> None:
        where = socket or needs.docker()
        ours = {"OPENAGENT_DRIVER": "docker", "OPENAGENT_DOCKER_SOCKET": str(where)}
        super().__init__(data, *options, **{**environment, **ours})
        self.engine = docker.DockerClient(base_url=f"unix://{where}")

    def clean_up(self) -> None:
        docker_host.clean_engine(self.engine, self.data.root)
        self.engine.close()
