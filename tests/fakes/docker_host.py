"""A docker driver of a data directory of its own, and what can be done to its engine behind its back."""

from __future__ import annotations

import contextlib
import io
import tarfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors

from openagent.lib.engine import PREFIX, EngineSettings
from sessions_app.drivers import files
from sessions_app.drivers.base import InstanceSpec, Ref
from sessions_app.drivers.docker import DockerDriver
from sessions_app.drivers.docker_options import Options
from tests.fakes import probe_sidecar
from tests.fakes.probe_link import Probe, ProbeLink

_SIDECAR = """
FROM {image}
LABEL org.openagent.inputs=probe
USER 0:0
COPY __main__.py /opt/openagent/code/sidecar/__main__.py
RUN rm -f /opt/openagent/code/sidecar/__pycache__/__main__.*
USER 10002:10002
"""
_BOX = """
FROM {image}
LABEL org.openagent.inputs=probe org.openagent.agents=scripted
"""


def probe_images(client: docker.DockerClient, real: dict[str, str]) -> dict[str, str]:
    """The names of images like the real ones, whose sidecar does what a test says and whose agent is none."""
    names = {}
    for role, text in (("sidecar", _SIDECAR), ("box", _BOX)):
        names[role] = f"openagent-probe-{role}:{real[role].partition(':')[2][:12]}"
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as tar:
            _put(tar, "Dockerfile", text.format(image=real[role]).encode())
            _put(tar, "__main__.py", Path(probe_sidecar.__file__).read_bytes())
        context.seek(0)
        for line in client.api.build(
            fileobj=context, custom_context=True, tag=names[role], rm=True, decode=True
        ):
            assert "error" not in line, line
    return names


def _put(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o644
    tar.addfile(entry, io.BytesIO(content))


@dataclass
class DockerHost:
    """A docker driver, the platform's end of its links, and the engine."""

    options: Options
    driver: DockerDriver
    link: ProbeLink
    client: docker.DockerClient

    def spec(
        self, *, volume: str = "", instance: str = "", registries: Mapping[str, str] | None = None
    ) -> InstanceSpec:
        return InstanceSpec(
            instance_id=instance or str(uuid.uuid4()),
            volume=volume or str(uuid.uuid4()),
            link=self.link.path,
            token="token-CANARY-0123456789",
            agent="scripted",
            registries=registries or {},
        )

    def start(self, *, volume: str = "", registries: Mapping[str, str] | None = None) -> tuple[Ref, Probe]:
        """A new instance, with its box connected."""
        ref = self.driver.create(self.spec(volume=volume, registries=registries))
        try:
            return ref, self.link.accept().ready()
        except (OSError, ValueError) as error:
            raise AssertionError(f"{self.driver.inspect(ref)}\n{self.driver.logs(ref, 20)}") from error

    def containers(self, ref: Ref, *, running: bool = False) -> dict[str, str]:
        """The ids of what the engine has of an instance, by role."""
        wanted = {"label": f"{PREFIX}instance={ref['instance_id']}"}
        found = self.client.api.containers(all=not running, filters=wanted)
        return {container["Labels"][f"{PREFIX}role"]: container["Id"] for container in found}

    def inspect(self, ref: Ref, role: str) -> dict[str, Any]:
        """All that the engine says of one half."""
        found: dict[str, Any] = self.client.api.inspect_container(self.containers(ref)[role])
        return found

    def clean_up(self) -> None:
        for ref in self.driver.list():
            self.driver.remove(ref)
            self.driver.remove_volume(ref["volume"])
        self.driver.close()
        self.link.close()
        clean_engine(self.client, self.options.data)


def clean_engine(client: docker.DockerClient, data: Path) -> None:
    """Remove everything that the engine has of the installation in this data directory."""
    installation = (files.read_json(data / "installation.json") or {}).get("id")
    if installation is None:
        return
    wanted = {"label": f"{PREFIX}installation={installation}"}
    for container in client.api.containers(all=True, filters=wanted):
        with contextlib.suppress(docker.errors.NotFound):
            client.api.remove_container(container["Id"], force=True)
    for volume in client.api.volumes(filters=wanted)["Volumes"] or []:
        client.api.remove_volume(volume["Name"])
    for network in client.api.networks(filters=wanted):
        client.api.remove_network(network["Id"])


def engine_settings(socket: Path, names: dict[str, str]) -> EngineSettings:
    return EngineSettings(socket=socket, sidecar=names["sidecar"], box=names["box"])


@contextlib.contextmanager
def started(options: Options, client: docker.DockerClient) -> Iterator[DockerHost]:
    """A host on this data directory; nothing of it is left afterwards."""
    (options.data / "run").mkdir(exist_ok=True)
    (options.data / "run").chmod(0o711)
    host = DockerHost(options, DockerDriver(options), ProbeLink(options.data / "run" / "link.sock"), client)
    try:
        yield host
    finally:
        host.clean_up()
