"""What is left of a launch that fails, when the engine has failed too."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import docker.errors
import pytest
import requests

from sessions_app.drivers.base import InstanceSpec
from sessions_app.drivers.docker_disks import Disks
from sessions_app.drivers.docker_engine import Engine
from sessions_app.drivers.docker_launch import Launch
from sessions_app.drivers.docker_options import Options
from sessions_app.drivers.docker_spec import Names


@dataclass
class _Parts:
    """An engine that refuses to remove anything, its API, and its disks."""

    refusal: Exception
    removed: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    @property
    def api(self) -> _Parts:
        return self

    def image(self, role: str) -> dict[str, str]:
        return {"Id": role}

    def remove_container(self, name: str, *, force: bool) -> None:
        self.removed.append(name)
        raise self.refusal

    def remove_volume(self, name: str) -> None:
        self.removed.append(name)
        raise self.refusal

    def release(self, volume: str) -> None:
        self.released.append(volume)


class _Failing(Launch):
    def _check(self, box: dict[str, Any]) -> None:
        pass

    def _make(self, sidecar_image: str, box_image: str) -> None:
        raise RuntimeError("what really happened")


@pytest.mark.parametrize(
    ("refusal", "tries"),
    [
        (docker.errors.APIError("no such container"), 3),
        (requests.exceptions.ConnectionError("the engine is gone"), 1),
        (requests.exceptions.ReadTimeout("the engine hangs"), 1),
        (docker.errors.DockerException("nobody listens on its socket"), 1),
    ],
)
def test_an_engine_that_is_gone_does_not_hide_why_the_launch_failed(refusal: Exception, tries: int) -> None:
    parts = _Parts(refusal)
    launch = _Failing(
        engine=cast(Engine, parts),
        options=cast(Options, None),
        disks=cast(Disks, parts),
        names=Names(installation="i", instance_id="n", volume="v"),
        spec=cast(InstanceSpec, SimpleNamespace(volume="v")),
        on_stage=lambda _: None,
    )
    with pytest.raises(RuntimeError, match="what really happened"):
        launch.run()
    assert len(parts.removed) == tries
    assert parts.released == ["v"]
