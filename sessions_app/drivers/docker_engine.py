"""The way to the container engine: one client, whose failures become DriverErrors that say what to do."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import docker
import docker.errors
import requests

from openagent.lib.engine import PREFIX, EngineSettings
from sessions_app.drivers.base import DriverError

ANSWER_SECONDS = 60
_OLDEST_API = (1, 41)


class Engine:
    """`api` is the engine's own interface; use it within `explained`."""

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self._client: docker.DockerClient | None = None
        self._info: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def api(self) -> docker.APIClient:
        with self._lock:
            if self._client is None:
                self._reach()
                client = docker.DockerClient(
                    base_url=self.settings.url, timeout=ANSWER_SECONDS, max_pool_size=32
                )
                self._check(client)
                self._client = client
            return self._client.api

    def _reach(self) -> None:
        try:
            self.settings.reach()
        except OSError as error:
            raise docker.errors.DockerException("nobody listens on its socket") from error

    @property
    def cpus(self) -> int:
        return int(self.info.get("NCPU", 1))

    @property
    def info(self) -> dict[str, Any]:
        """What the engine says of itself, asked once."""
        if not self._info:
            self._info = self.api.info()
        return self._info

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    @contextlib.contextmanager
    def input_of(self, container: str) -> Iterator[socket.socket]:
        """The standard input of a container that starts in the block; its end is the block's.

        By hand, for the library's way leaves the connection open.
        """
        try:
            with socket.socket(socket.AF_UNIX) as stream:
                stream.settimeout(ANSWER_SECONDS)
                self._attach(stream, container)
                # The engine passes on what was sent before the end. Its own hanging up says nothing: it comes
                # with the end of the input, or with the container's if that had started a moment earlier.
                yield stream
        except requests.exceptions.RequestException:
            raise  # Of what is done in the block, and an OSError too; it has its own words.
        except OSError as error:
            raise docker.errors.DockerException(f"no way to the input of {container}") from error

    def _attach(self, stream: socket.socket, container: str) -> None:
        stream.connect(str(self.settings.socket))
        request = f"POST /containers/{container}/attach?stdin=1&stream=1 HTTP/1.1"
        stream.sendall(f"{request}\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer and (part := stream.recv(4096)):
            answer += part
        if answer.split(b" ")[1:2] not in ([b"101"], [b"200"]):
            raise ConnectionError("the engine does not connect it")

    def check_runtime(self, name: str) -> None:
        """DriverError unless the engine has a runtime of this name."""
        if name not in self.info.get("Runtimes", {}):
            self._info = {}  # Somebody may add it: runtimes are added to an engine while it runs.
            raise DriverError(
                f"The engine has no runtime {name}. Install it and name it in the engine's daemon.json, or "
                "set OPENAGENT_DOCKER_RUNTIME to one that it has.",
                code="runtime_unknown",
                permanent=True,
            )

    def image(self, role: str) -> dict[str, Any]:
        """The image that this role is made from, by its name at this moment. DriverError when it is none."""
        name = self.settings.image(role)
        try:
            image: dict[str, Any] = self.api.inspect_image(name)
        except docker.errors.ImageNotFound:
            raise DriverError(
                f"There is no image {name}. In the checkout, run: make images",
                code="image_missing",
                permanent=True,
            ) from None
        if label(image, "role") != role:
            raise DriverError(
                f"{name} is no image of a {role}. In the checkout, run: make images",
                code="image_wrong",
                permanent=True,
            )
        return image

    def _check(self, client: docker.DockerClient) -> None:
        version = client.version()
        names = [part.get("Name", "") for part in version.get("Components", [])]
        if any("podman" in name.lower() for name in names):
            raise DriverError(
                "Podman's networks do not keep containers apart on one bridge, which sidecars rely on. Use "
                "Docker's engine, or OPENAGENT_DRIVER=process.",
                code="engine_unsupported",
                permanent=True,
            )
        if tuple(int(part) for part in version["ApiVersion"].split(".")) < _OLDEST_API:
            raise DriverError(
                f"The engine {version.get('Version', '')} is too old: Docker 20.10 or newer is needed.",
                code="engine_old",
                permanent=True,
            )


def label(image: Mapping[str, Any], name: str) -> str:
    """One of our labels of an image."""
    labels = (image.get("Config") or {}).get("Labels") or {}
    return str(labels.get(f"{PREFIX}{name}", ""))


@contextlib.contextmanager
def explained(settings: EngineSettings) -> Iterator[None]:
    """Turns what the engine refuses, and its absence, into a DriverError that says what to do."""
    try:
        yield
    except docker.errors.APIError as error:
        raise _explain(error, settings.runtime) from error
    except requests.exceptions.Timeout as error:
        raise DriverError(
            f"The container engine does not answer within {ANSWER_SECONDS} s. Look at its log; if it hangs, "
            "restart it.",
            code="engine_hangs",
            permanent=False,
        ) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise DriverError(
            f"The container engine does not answer on {settings.socket}. Start it; sessions go on then.",
            code="engine_away",
            permanent=False,
        ) from error


def _explain(error: docker.errors.APIError, runtime: str) -> DriverError:
    said = str(error.explanation or error)[:300]
    if "no space left" in said:
        return DriverError(
            "The engine's disk is full. Free some space (docker system df shows what is used), then start "
            "the session again.",
            code="disk_full",
            permanent=True,
        )
    if "OCI runtime" in said and runtime != "runc":
        return DriverError(
            f"The runtime {runtime} starts no box on this host: {said} What gVisor needs is in "
            "docs/docker-driver.md; OPENAGENT_DOCKER_RUNTIME=runc does without it.",
            code="runtime_failed",
            permanent=True,
        )
    permanent = error.response is not None and error.response.status_code == 400
    return DriverError(f"The container engine refused: {said}", code="engine_refused", permanent=permanent)
