"""The ways out of a box that is a container, and packages in it, for its user and for its root."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openagent.lib import registries
from sessions_app.drivers.docker import DockerDriver
from tests.container_product import own_address
from tests.docker_fixtures import (
    BUILD_SECONDS,
    container_engine,
    docker_data,
    docker_options,
    dockers,
    probe_images,
    real_images,
)
from tests.fakes.docker_host import DockerHost
from tests.sessions_app.drivers import egress_matrix, real_packages

__all__ = ["container_engine", "docker_data", "docker_options", "dockers", "probe_images", "real_images"]

pytestmark = [pytest.mark.timeout(BUILD_SECONDS), pytest.mark.variant]


@pytest.fixture
def rooted(dockers: DockerHost) -> DockerHost:
    """The same host, whose boxes have root in them and room for packages."""
    dockers.driver.close()
    options = dockers.options
    limits = replace(options.limits, memory_mb=1024, tmp_mb=64, file_mb=512)
    dockers.driver = DockerDriver(
        replace(options, limits=limits, engine=replace(options.engine, is_root=True))
    )
    return dockers


def check_matrix(host: DockerHost) -> None:
    (mine, probe), (theirs, other) = host.start(), host.start()
    networks = [host.inspect(ref, "sidecar")["NetworkSettings"]["Networks"] for ref in (mine, theirs)]
    known = [entry for network in networks for entry in network.values()]
    sidecars = sorted({entry[name] for entry in known for name in ("IPAddress", "Gateway")})
    sockets = [str(host.link.path), str(host.options.engine.socket), "/run/openagent/link/link.sock"]
    with egress_matrix.agreeing(own_address()) as far:
        around = egress_matrix.Surroundings(other, far, own_address(), sidecars=sidecars, sockets=sockets)
        egress_matrix.check(probe, around)


def test_only_what_is_allowed_gets_out_of_a_container(dockers: DockerHost) -> None:
    check_matrix(dockers)


def test_only_what_is_allowed_gets_out_of_a_container_with_root(rooted: DockerHost) -> None:
    check_matrix(rooted)


def test_packages_come_from_this_machines_registries(dockers: DockerHost) -> None:
    found = registries.find(registries.TOOLS)
    _, probe = dockers.start(registries=real_packages.told(found))
    real_packages.check(probe, found, real_packages.COMMANDS)


def test_root_of_a_box_installs_what_its_system_has(rooted: DockerHost) -> None:
    found = registries.find(registries.TOOLS)
    _, probe = rooted.start(registries=real_packages.told(found))
    real_packages.check(probe, found, real_packages.COMMANDS)
