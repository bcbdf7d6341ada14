"""Makes the containers of one instance and starts them, the sidecar last; or leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker.errors
import requests

from openagent.lib import env, own_addresses
from sessions_app.drivers import base, box_network, docker_spec
from sessions_app.drivers.base import DriverError, InstanceSpec, OnStage
from sessions_app.drivers.docker_disks import Disks
from sessions_app.drivers.docker_engine import Engine, label
from sessions_app.drivers.docker_options import Options
from sessions_app.drivers.docker_spec import Names

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
# How sidecars reach the world from a host with a proxy; certificate authorities are in their image.
PASSED_ON = (*_PROXIES, *(name.lower() for name in _PROXIES), "TZ", "OPENAGENT_LOG_LEVEL")


@dataclass(frozen=True)
class Launch:
    """One instance that is about to be made; nobody else works on its volume meanwhile."""

    engine: Engine
    options: Options
    disks: Disks
    names: Names
    spec: InstanceSpec
    on_stage: OnStage

    def run(self) -> None:
        """DriverError, or an error of the engine's library, when it does not start."""
        images = {role: self.engine.image(role) for role in ("sidecar", "box")}
        self._check(images["box"])
        self.on_stage("image")
        try:
            self._make(images["sidecar"]["Id"], images["box"]["Id"])
            self._start()
        except BaseException:
            self._clean_up()
            raise

    def _check(self, box: dict[str, Any]) -> None:
        self.engine.check_runtime(self.options.engine.runtime)
        if self.spec.agent and self.spec.agent not in label(box, "agents").split(","):
            raise DriverError(
                f"The image {self.options.engine.box} does not have the agent {self.spec.agent}. In the "
                "checkout, run: make images",
                code="agent_missing",
                permanent=True,
            )
        link = self.spec.link
        if isinstance(link, Path) and not link.parent.is_dir():
            raise DriverError(f"There is no folder {link.parent}.", code="link_missing", permanent=False)

    def _make(self, sidecar_image: str, box_image: str) -> None:
        """1. The network, once. 2. The disk and the socket's place. 3. Both containers."""
        self._make_network()
        if self.spec.is_used and not self.disks.exists(self.spec.volume):
            raise base.volume_gone(self.spec.volume)
        disk = self.disks.prepare(self.spec.volume)
        self.on_stage("volume")
        self.engine.api.create_volume(**docker_spec.sockets(self.names))
        link = self.spec.link if isinstance(self.spec.link, Path) else None
        inherited = env.inherited()
        environment = {name: inherited[name] for name in PASSED_ON if inherited.get(name)}
        sidecar = docker_spec.sidecar(
            self.names, self.options, image=sidecar_image, link=link, environment=environment
        )
        cpus = min(self.options.engine.cpus, self.engine.cpus)
        told = box_network.environment(bundle=box_network.DEBIAN_BUNDLE, registries=self.spec.registries)
        box = docker_spec.box(
            self.names, self.options, image=box_image, cpus=cpus, disk=disk, environment=told
        )
        for role, config in (("sidecar", sidecar), ("box", box)):
            self.engine.api.create_container_from_config(config, self.names.container(role))

    def _make_network(self) -> None:
        api = self.engine.api
        try:
            api.inspect_network(self.names.network)
        except docker.errors.NotFound:
            try:
                api.create_network(**docker_spec.network(self.names.installation))
            except docker.errors.APIError as error:
                # Made by somebody else at the same moment: it has its name once.
                if error.response is None or error.response.status_code != 409:
                    raise

    def _start(self) -> None:
        """The box waits for the sidecar's socket. Once the sidecar has started, the instance was made."""
        self.engine.api.start(self.names.container("box"))
        with self.engine.input_of(self.names.container("sidecar")) as stream:
            self.engine.api.start(self.names.container("sidecar"))
            stream.sendall(json.dumps(self._config()).encode())

    def _config(self) -> dict[str, Any]:
        """What the sidecar is told; the only thing with its token, and it is stored nowhere."""
        link = self.spec.link
        where = {"unix": f"{docker_spec.LINK}/{link.name}"} if isinstance(link, Path) else {"url": link}
        return {
            "instance": self.spec.instance_id,
            "token": self.spec.token,
            "link": where,
            "journal": docker_spec.JOURNAL,
            "box_socket": f"{docker_spec.SOCKET_FOLDER}/box.sock",
            "agent": self.spec.agent,
            "driver": "docker",
            "health_socket": docker_spec.HEALTH_SOCKET,
            "limits": {"silence_seconds": self.spec.silence_seconds},
            "host_addresses": self._host_addresses(),
        }

    def _host_addresses(self) -> list[str]:
        """This machine's, and the gateway of the sidecars' network: a sidecar cannot see that they are."""
        network = self.engine.api.inspect_network(self.names.network) or {}
        ranges = network.get("IPAM", {}).get("Config") or []
        gateways = {each["Gateway"] for each in ranges if each.get("Gateway")}
        return sorted(gateways | own_addresses.of_interfaces() | self.options.host_addresses)

    def _clean_up(self) -> None:
        # Without an engine nothing can be removed, and the error that led here says more than that.
        with contextlib.suppress(docker.errors.DockerException, requests.exceptions.RequestException):
            for role in ("sidecar", "box"):
                with contextlib.suppress(docker.errors.APIError):
                    self.engine.api.remove_container(self.names.container(role), force=True)
            with contextlib.suppress(docker.errors.APIError):
                self.engine.api.remove_volume(self.names.sockets)
        self.disks.release(self.spec.volume)
