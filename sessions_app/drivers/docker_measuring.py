"""Counts a disk that is volumes of the engine: where those lie only the engine and its containers see."""

from __future__ import annotations

import contextlib

import docker.errors

from sessions_app.drivers import disk_use, docker_spec
from sessions_app.drivers.docker_engine import Engine

_ANSWER_SECONDS = disk_use.SECONDS + 15


class Measuring:
    """One count of one volume, by a container that is there for it. Errors are those of the engine's library.

    Whoever was killed over it left its container: the next count, or the removal of the volume, ends that.
    """

    def __init__(self, engine: Engine, installation: str, volume: str) -> None:
        self._engine = engine
        self._installation = installation
        self._volume = volume
        self._name = docker_spec.measuring_name(installation, volume)

    def begin(self) -> None:
        """Call it while nobody else works on the volume, and it is there: the engine would make it anew."""
        self.end()
        image = self._engine.image("sidecar")["Id"]
        config = docker_spec.measuring(self._installation, self._volume, image=image)
        self._engine.api.create_container_from_config(config, self._name)

    def result(self) -> int | None:
        """Bytes; None when that cannot be told, in this time, or somebody removes the volume meanwhile."""
        api = self._engine.api
        try:
            api.start(self._name)
            code = api.wait(self._name, timeout=_ANSWER_SECONDS)["StatusCode"]
            output = api.logs(self._name, stdout=True, stderr=False)
            return disk_use.told(code, output, api.logs(self._name, stdout=False, stderr=True))
        except docker.errors.NotFound:
            return None
        finally:
            self.end()

    def end(self) -> None:
        """It is not there any more, or about to go."""
        with contextlib.suppress(docker.errors.NotFound):
            self._engine.api.remove_container(self._name, force=True)
