"""What counts a disk of the engine's can change nothing, and is gone when it has counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import docker.errors
import pytest

from sessions_app.drivers.docker_engine import Engine
from sessions_app.drivers.docker_measuring import Measuring

NAME = "openagent-0a1b2c3d-disk-measuring"


@dataclass
class Counting:
    """An engine with the one container, and how that ends."""

    code: int = 0
    output: bytes = b"10\t/measured/home\n20\t/measured/workspace\n30\ttotal\n"
    vanishes: bool = False
    made: dict[str, Any] = field(default_factory=dict)

    @property
    def api(self) -> Counting:
        return self

    def image(self, role: str) -> dict[str, Any]:
        return {"Id": f"sha256:{role}"}

    def create_container_from_config(self, config: dict[str, Any], name: str) -> None:
        assert not self.made
        self.made[name] = config

    def start(self, name: str) -> None:
        assert name in self.made

    def wait(self, name: str, timeout: float) -> dict[str, int]:
        assert timeout < 60
        if self.vanishes:
            del self.made[name]
        return {"StatusCode": self.code}

    def logs(self, name: str, *, stdout: bool, stderr: bool) -> bytes:
        if name not in self.made:
            raise docker.errors.NotFound(name)
        return self.output if stdout else b""

    def remove_container(self, name: str, *, force: bool) -> None:
        assert force
        if self.made.pop(name, None) is None:
            raise docker.errors.NotFound(name)


def test_what_counts_can_change_nothing_and_reaches_nobody() -> None:
    engine = Counting()
    Measuring(cast(Engine, engine), "0a1b2c3d", "disk").begin()
    config = engine.made[NAME]
    host = config["HostConfig"]
    assert [(mount["Source"], mount["Target"], mount["ReadOnly"]) for mount in host["Mounts"]] == [
        ("openagent-0a1b2c3d-disk-home", "/measured/home", True),
        ("openagent-0a1b2c3d-disk-workspace", "/measured/workspace", True),
    ]
    assert (config["Image"], host["NetworkMode"], host["ReadonlyRootfs"]) == ("sha256:sidecar", "none", True)
    assert (host["CapDrop"], host["CapAdd"]) == (["ALL"], ["DAC_OVERRIDE"])
    assert config["Entrypoint"] == ["timeout", "--signal=KILL", "20"]
    assert not any(label.endswith(("instance", "volume")) for label in config["Labels"])


@pytest.mark.parametrize(
    ("engine", "told"),
    [(Counting(), 30), (Counting(code=137, output=b""), None), (Counting(vanishes=True), None)],
    ids=["counted", "took too long", "the volume was removed"],
)
def test_it_is_gone_when_it_has_counted(engine: Counting, told: int | None) -> None:
    measuring = Measuring(cast(Engine, engine), "0a1b2c3d", "disk")
    for _ in range(2):
        measuring.begin()
        assert measuring.result() == told
        assert engine.made == {}


def test_one_that_was_left_behind_is_replaced() -> None:
    engine = Counting()
    for _ in range(2):
        Measuring(cast(Engine, engine), "0a1b2c3d", "disk").begin()
    assert list(engine.made) == [NAME]
