"""The docker driver keeps the promises of drivers, with real containers and sidecars that obey the test."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from sessions_app.drivers.base import InstanceSpec, Ref
from sessions_app.drivers.docker import DockerDriver
from sessions_app.drivers.docker_measuring import Measuring
from tests.contract.drivers.suite import DriverContract
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
from tests.fakes.probe_link import Probe

__all__ = ["container_engine", "docker_data", "docker_options", "dockers", "probe_images", "real_images"]

pytestmark = [pytest.mark.timeout(BUILD_SECONDS), pytest.mark.slow]


@dataclass
class DockerEngine:
    host: DockerHost
    probes: dict[str, Probe] = field(default_factory=dict)

    @property
    def driver(self) -> DockerDriver:
        return self.host.driver

    def spec(self, *, volume: str = "", instance: str = "", is_used: bool = False) -> InstanceSpec:
        return replace(self.host.spec(volume=volume, instance=instance), is_used=is_used)

    def end(self, ref: Ref, exit_code: int) -> None:
        self._probe(ref).exit(exit_code)
        _until(lambda: not self.driver.inspect(ref).alive)
        _until(lambda: not self.is_running(ref))

    def lose(self, ref: Ref) -> None:
        self._probe(ref)
        for container in self.host.containers(ref, running=True).values():
            self.host.client.api.kill(container)
        _until(lambda: not self.is_running(ref))

    def put(self, ref: Ref, text: str) -> None:
        self._probe(ref).sh(f"echo -n {text} > /workspace/text")

    def get(self, ref: Ref) -> str:
        return self._probe(ref).sh("cat /workspace/text 2>/dev/null; true")

    def is_running(self, ref: Ref) -> bool:
        return bool(self.host.containers(ref, running=True))

    def _probe(self, ref: Ref) -> Probe:
        while ref["instance_id"] not in self.probes:
            probe = self.host.link.accept().ready()
            self.probes[probe.hello["hello"]] = probe
        return self.probes[ref["instance_id"]]


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not become so in time"
        time.sleep(0.05)


class TestDockerDriver(DriverContract):
    @pytest.fixture
    def engine(self, dockers: DockerHost) -> DockerEngine:
        return DockerEngine(dockers)

    def test_a_count_that_was_left_behind_bars_nothing(self, engine: DockerEngine) -> None:
        ref = engine.driver.create(engine.spec(volume="disk"))
        for _ in range(2):
            left = Measuring(engine.driver._engine, engine.driver._installation, "disk")
            left.begin()
            assert engine.driver.list() == [ref]
            assert engine.driver.volume_bytes("disk") is not None
        left.begin()
        engine.driver.remove(ref)
        engine.driver.remove_volume("disk")
        assert engine.driver.volume_bytes("disk") is None
