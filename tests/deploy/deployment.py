"""The platform as deploy/compose.yml runs it, for tests: with a certificate and a project of its own."""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import docker

from openagent.lib.data_dir import CHECKOUT, DataDir
from openagent.lib.engine import PREFIX
from tests import needs, ports
from tests.deploy import stand_ins
from tests.end_to_end.client import eventually
from tests.product import AGENTS

FILE = CHECKOUT / "deploy" / "compose.yml"
_UP_SECONDS = 600


class Deployment:
    """`compose` runs a command of compose's on it; what it printed."""

    def __init__(self, place: Path, client: docker.DockerClient) -> None:
        self.place = place
        self.client = client
        self.data = DataDir(place / "data")
        self.env_file = place / "compose.env"
        self.certificate = self.data.root / "certificates" / "tls.crt"
        self.url = f"https://localhost:{ports.free()}"
        self.project = f"oa-test-{secrets.token_hex(3)}"
        self._program = [*needs.compose(), "--env-file", str(self.env_file), "--file", str(FILE)]

    def prepare(self) -> None:
        """`make compose`, and what an administrator writes into its file."""
        options = ["--data-dir", str(self.data.root), "--env-file", str(self.env_file)]
        assert str(self.env_file) in self.manage("compose", "--url", self.url, *options)
        self._certify()
        images = {f"{name}_IMAGE": image for name, image in stand_ins.images(self.client).items()}
        self._set(
            COMPOSE_PROJECT_NAME=self.project,
            PROXY_TLS="tls /certificates/tls.crt /certificates/tls.key",
            HTTP_PORT=f"127.0.0.1:{ports.free()}",
            HTTPS_PORT=f"127.0.0.1:{self.url.rpartition(':')[2]}",
            **images,
        )

    def manage(self, *arguments: str) -> str:
        """A command of the checkout, beside the containers; what it printed."""
        own = {"OPENAGENT_AGENTS_DIR": str(AGENTS)}
        return _run([sys.executable, "manage.py", *arguments], own=own)

    def save(self, folder: Path) -> None:
        """As the README says it."""
        self.compose("stop", "proxy", "beat", "worker", "provisioner")
        self.compose("run", "--rm", "-T", "--no-deps", "provisioner", "stop_instances")
        self.compose("stop", "web")
        self.manage("backup", str(folder), "--data-dir", str(self.data.root))
        with folder.with_suffix(".rows").open("wb") as file:
            self._in_database("pg_dump", "-U", "openagent", "-Fc", "openagent", stdout=file)

    def bring_back(self, folder: Path) -> None:
        """On this host, which has nothing of it any more but the file of variables."""
        self.manage("restore", str(folder), "--data-dir", str(self.data.root))
        self.manage("compose", "--env-file", str(self.env_file))
        self.compose("up", "-d", "database")
        eventually(self._database_answers, 120, self.logs)
        with folder.with_suffix(".rows").open("rb") as file:
            self._in_database("pg_restore", "-U", "openagent", "-d", "openagent", stdin=file)
        self.compose("up", "-d")

    def lose(self) -> None:
        """Containers, the engine's volumes, and the data directory."""
        self.compose("down", "--volumes", "--timeout", "5")
        self.remove_instances()
        shutil.rmtree(self.data.root)

    def update(self) -> None:
        """Another image of the platform, as `make compose` makes one of another version."""
        (name,) = re.findall("^OPENAGENT_PLATFORM_IMAGE=(.+)$", self.env_file.read_text(), re.MULTILINE)
        newer = f"{self.project}:newer"
        text = f"FROM {name}\nLABEL {PREFIX}inputs=newer\n"
        self.client.images.build(fileobj=io.BytesIO(text.encode()), tag=newer, rm=True)
        self._set(OPENAGENT_PLATFORM_IMAGE=newer)
        self.compose("up", "-d")

    @property
    def setup_code(self) -> str:
        return (self.data.secrets / "setup-code").read_text().strip()

    def compose(self, *arguments: str) -> str:
        return _run([*self._program, *arguments])

    def containers(self) -> dict[str, dict[str, Any]]:
        """What the engine says of the container of each service."""
        found = self.client.containers.list(
            all=True, filters={"label": f"com.docker.compose.project={self.project}"}
        )
        return {each.labels["com.docker.compose.service"]: each.attrs for each in found}

    def logs(self) -> str:
        return self.compose("logs", "--tail=40", "--no-color")

    def installation(self) -> str:
        return str(json.loads((self.data.root / "installation.json").read_text())["id"])

    def remove(self) -> None:
        """Everything, also of its instances."""
        if self.env_file.exists():
            self.compose("down", "--volumes", "--timeout", "5")
        if (self.data.root / "installation.json").exists():
            self.remove_instances()
        for image in self.client.images.list(name=self.project):
            self.client.images.remove(image.id, force=True)

    def remove_instances(self) -> None:
        """As when the engine's data is lost."""
        mine = {"label": f"{PREFIX}installation={self.installation()}"}
        for container in self.client.containers.list(all=True, filters=mine):
            container.remove(force=True)
        for volume in self.client.volumes.list(filters=mine):
            volume.remove()
        for network in self.client.networks.list(filters=mine):
            network.remove()

    def _database_answers(self) -> bool:
        return bool(self.containers()["database"]["State"]["Health"]["Status"] == "healthy")

    def _in_database(self, *command: str, **streams: IO[bytes]) -> None:
        _run([*self._program, "exec", "-T", "database", *command], {}, **streams)

    def _certify(self) -> None:
        key = self.certificate.with_suffix(".key")
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        _run(["openssl", "req", *kind, *names, "-keyout", str(key), "-out", str(self.certificate)])
        owner = self.certificate.parent.stat()
        for file in (key, self.certificate):
            os.chown(file, owner.st_uid, owner.st_gid)

    def _set(self, **values: str) -> None:
        text = self.env_file.read_text()
        for name, value in values.items():
            text, count = re.subn(f"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            assert count == 1, name
        self.env_file.write_text(text)


@contextmanager
def deployed() -> Iterator[Deployment]:
    """One that is up; removed in the end."""
    place = Path(tempfile.mkdtemp(prefix="oa-compose-"))
    place.chmod(0o711)
    client = docker.DockerClient(base_url=f"unix://{needs.docker()}", timeout=_UP_SECONDS)
    deployment = Deployment(place, client)
    try:
        deployment.prepare()
        deployment.compose("up", "-d")
        yield deployment
    finally:
        deployment.remove()
        client.close()
        shutil.rmtree(place)


def _run(
    command: list[str], own: Mapping[str, str] = MappingProxyType({}), **streams: int | IO[bytes]
) -> str:
    # What the tests' own settings are set to would count for more than what is in the file.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAGENT_")}
    environment |= {"DOCKER_HOST": f"unix://{needs.docker()}", "OPENAGENT_DOCKER_SOCKET": str(needs.docker())}
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**environment, **own},
        stdin=streams.get("stdin", subprocess.DEVNULL),
        stdout=streams.get("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        text=True,
        timeout=_UP_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr[-4000:]}"
    return done.stdout
