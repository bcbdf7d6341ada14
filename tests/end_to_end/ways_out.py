"""A running product whose boxes have ways out: a git host, and the registries of this host."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessions_app.drivers import box_network
from tests.container_product import ContainerProduct
from tests.end_to_end.client import Client, first_run, texts
from tests.end_to_end.custom_agents import WORKING, register_working
from tests.end_to_end.instance import Instance
from tests.end_to_end.sites import ContainerSite
from tests.fakes import neighbour
from tests.fakes.git_host import GitHost, git_host
from tests.product import Product, data_directory, running
from tests.sessions_app.drivers.egress_matrix import TRIES

REPOSITORY = "team/app"
_IMAGES = {
    f"OPENAGENT_{role.upper()}_IMAGE": f"openagent-trusting-{role}:test" for role in ("sidecar", "box")
}
_TRUSTING = """
FROM {image}
LABEL org.openagent.inputs=trusting
USER 0:0
COPY authority.crt /usr/local/share/ca-certificates/authority.crt
RUN update-ca-certificates >/dev/null
USER {user}
"""


@dataclass
class WaysOut:
    """The product, its owner, and the git host on a private network."""

    product: Product
    client: Client
    host: GitHost

    @property
    def repository(self) -> str:
        return f"https://{self.host.name}:{self.host.port}/{REPOSITORY}"

    def session(self, **fields: Any) -> str:
        return self.client.new_session(agent=WORKING, mode="auto", **fields)

    def run(self, session: str, command: str) -> str:
        """What a command in the box printed."""
        ended = self.client.ended(session, self.client.prompt(session, f"/demo run exec 2>&1; {command}"))
        return "".join(item["output"] for item in ended["items"] if item["type"] == "tool") or texts(ended)

    def allow(self, session: str, **egress: Any) -> None:
        self.client.call("PATCH", f"/sessions/{session}/", {"egress": egress})

    def went(self, session: str, wanted: dict[str, Any]) -> set[str]:
        """Which of the ways out of this session's box got anywhere."""
        workspace = self.put(session, {"tries.py": TRIES, "wanted.json": json.dumps(wanted)})
        said = self.run(session, 'python3 tries.py "$(cat wanted.json)" > went.json || cat went.json')
        try:
            return set(json.loads((workspace / "went.json").read_text()))
        except ValueError:
            raise AssertionError(said) from None

    def put(self, session: str, files: dict[str, str]) -> Path:
        """Write them into the session's workspace, which is where."""
        workspace = Instance(self.product, self.client, session).workspace
        for name, text in files.items():
            (workspace / name).write_text(text)
            (workspace / name).chmod(0o644)
        return workspace

    def sidecar(self, session: str) -> dict[str, Any]:
        """What the engine says of the session's sidecar; nothing where it is a process of this machine."""
        if not isinstance(self.product, ContainerProduct):
            return {}
        instance = Instance(self.product, self.client, session).id
        found = ContainerSite(self.product.engine, self.product.data.root).containers(instance)
        return next(each for each in found if each["Config"]["Hostname"] == "sidecar")


@contextmanager
def ways_out(make: type[Product], **environment: str) -> Iterator[WaysOut]:
    """One with `environment` as more of its settings, which trusts the authority of the git host."""
    with (
        data_directory() as folder,
        neighbour.neighbour() as listener,
        git_host(folder / "host", name=neighbour.ADDRESS, listener=listener) as host,
    ):
        host.make(REPOSITORY)
        place = json.dumps({"git": f"https://{neighbour.ADDRESS}:{host.port}"})
        settings = {"OPENAGENT_REGISTRIES_FROM": "pip,npm,apt", "OPENAGENT_PROVIDER_BASE_URLS": place}
        trusting = _IMAGES if make is ContainerProduct else {"SSL_CERT_FILE": str(_bundle(folder, host))}
        with running(make=make, **settings, **trusting, **environment) as product:
            client = first_run(product.url, "admin", "write", "read")
            try:
                if isinstance(product, ContainerProduct):
                    for name in _IMAGES.values():
                        _trust(product, name, host.certificate)
                register_working(product.url)
                client.post("/keys/", {"provider": "git", "key": host.token})
                yield WaysOut(product, client, host)
            finally:
                client.close()
                if isinstance(product, ContainerProduct):
                    product.stop()
                    product.clean_up()
                    for name in _IMAGES.values():
                        product.engine.images.remove(name)


def _bundle(folder: Path, host: GitHost) -> Path:
    """The authorities of this machine and that of the git host."""
    file = folder / "authorities.pem"
    known = Path(box_network.host_bundle({}))
    file.write_text(known.read_text() + host.certificate.read_text())
    file.chmod(0o644)
    return file


def _trust(product: ContainerProduct, name: str, certificate: Path) -> None:
    """The name is of an image with this authority from now on, as if it had been made with it."""
    image = product.engine.images.get(name)
    text = _TRUSTING.format(image=image.id, user=image.attrs["Config"]["User"])
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        for file, content in (("Dockerfile", text.encode()), ("authority.crt", certificate.read_bytes())):
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    context.seek(0)
    product.engine.images.build(fileobj=context, custom_context=True, tag=name, rm=True)


def rebind(sidecar: dict[str, Any], name: str, *addresses: str) -> None:
    """The sidecar finds all of these addresses under this name."""
    hosts = Path(sidecar["HostsPath"])
    with hosts.open("a") as file:
        file.writelines(f"{address} {name}\n" for address in addresses)
