"""Builds the images of sidecar and box, as far as what they are made from has changed: `manage.py images`.

They stand on the image that OPENAGENT_BASE_IMAGE names, a Debian. Where no registry is reachable, a base is
made from the Debian packages that this host takes its own from.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
import docker.utils
import requests
import urllib3.exceptions

from openagent.lib import data_dir, engine, env
from openagent.lib.data_dir import CHECKOUT
from openagent.management import image_context
from openagent.management.image_context import Context
from openagent.management.preparation import CannotStart

VERSION: str = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
_BASE = "debian:bookworm-slim"
_LOCAL_BASE = "openagent-base"
_BUILD_SECONDS = 1800
# A request that fails is an OSError; an answer that breaks off comes as it is.
_FAILURES = (docker.errors.DockerException, docker.errors.StreamParseError, urllib3.exceptions.HTTPError)
_CERTIFICATES = Path("/usr/local/share/ca-certificates")

Say = Callable[[str], None]


class CannotBuild(CannotStart):
    """Why the images could not be built, and what to do about it."""


class NoEngine(CannotBuild):
    """Nobody answers where the engine should be."""


def main(arguments: Sequence[str]) -> int:
    """The command: builds what is not current, and says which images there are."""
    agents = env.path("OPENAGENT_AGENTS_DIR", data_dir.current().agents)
    try:
        with connected() as client:
            for role, image in build(client, agents, say=_say).items():
                print(f"{role}: {engine.current().image(role)} {image}")
    except (CannotBuild, env.SettingError) as error:
        print(f"Cannot build the images: {error}", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def connected() -> Iterator[docker.DockerClient]:
    """The engine. NoEngine when none answers; what it fails at in the block is a CannotBuild."""
    settings = engine.current()
    try:
        settings.reach()
        client = docker.DockerClient(base_url=settings.url, timeout=_BUILD_SECONDS)
        client.ping()
    except (docker.errors.DockerException, requests.RequestException, OSError):
        raise NoEngine(
            f"no container engine answers on {settings.socket}. Start Docker, or name its socket in "
            "OPENAGENT_DOCKER_SOCKET."
        ) from None
    try:
        yield client
    except (*_FAILURES, OSError) as error:
        raise CannotBuild(str(getattr(error, "explanation", None) or error)[:500]) from error
    finally:
        client.close()


def build(
    client: docker.DockerClient,
    agents: Path,
    *,
    say: Say,
    roles: Sequence[str] = engine.ROLES,
    network: str | None = None,
) -> dict[str, str]:
    """The id of each role's image, which is built unless there is one of exactly these files.

    `network` is the engine's name of one that the steps of a build use instead of the engine's default.
    """
    _stage(agents)
    stamps = CHECKOUT / ".stamps"
    stamps.mkdir(exist_ok=True)
    with (stamps / "images.lock").open("w") as lock:
        # Somebody else may be building the same.
        fcntl.flock(lock, fcntl.LOCK_EX)
        certificates = env.path("OPENAGENT_EXTRA_CA_DIR", _CERTIFICATES)
        wanted = env.text("OPENAGENT_BASE_IMAGE", _BASE)
        builders = [Builder(client, Context(role, certificates, agents), wanted, network) for role in roles]
        return {builder.role: builder.find() or builder.build(say) for builder in builders}


@dataclass(frozen=True)
class Builder:
    """One image: whether it is there, and how it is made."""

    client: docker.DockerClient
    context: Context
    base: str
    network: str | None = None

    @property
    def role(self) -> str:
        return self.context.role

    @property
    def name(self) -> str:
        return engine.current().image(self.role)

    def find(self) -> str:
        """The id of an image of exactly these files, which has the name from now on; else empty."""
        labels = [f"{name}={value}" for name, value in self._labels().items()]
        found = self.client.images.list(filters={"label": labels})
        if not found:
            return ""
        image = found[0]
        if self.name not in image.tags:
            image.tag(*docker.utils.parse_repository_tag(self.name))
        return str(image.id)

    def build(self, say: Say) -> str:
        """Build it, and drop the one that had the name before if nothing uses it."""
        base = self._base(say)
        began = time.monotonic()
        say(f"Building the image of the {self.role}...")
        before = self._named()
        with self.context.write() as context:
            lines = self.client.api.build(
                fileobj=context,
                custom_context=True,
                tag=self.name,
                rm=True,
                forcerm=True,
                decode=True,
                network_mode=self.network,
                buildargs={
                    "BASE_IMAGE": base,
                    "PACKAGES": " ".join(image_context.packages(self.role)),
                },
                labels=self._labels(),
            )
            _follow(lines)
        say(f"Building the image of the {self.role}: done in {time.monotonic() - began:.0f} s")
        built = self._named()
        if before and before != built:
            with contextlib.suppress(docker.errors.APIError):
                self.client.images.remove(before)
        return built

    def _inputs(self) -> str:
        return self.context.digest(VERSION, self.base, " ".join(image_context.packages(self.role)))

    def _labels(self) -> dict[str, str]:
        agents = sorted(path.parent.name for path in self.context.agents.glob("*/.versions"))
        return {
            f"{engine.PREFIX}role": self.role,
            f"{engine.PREFIX}inputs": self._inputs(),
            f"{engine.PREFIX}agents": ",".join(agents) if self.role == "box" else "",
            "org.opencontainers.image.title": f"OpenAgent {self.role}",
            "org.opencontainers.image.version": VERSION,
        }

    def _named(self) -> str:
        try:
            return str(self.client.images.get(self.name).id)
        except docker.errors.ImageNotFound:
            return ""

    def _base(self, say: Say) -> str:
        """An image to stand on: the one that is wanted, or one that is made here if no registry answers."""
        local = f"{_LOCAL_BASE}:{self.context.digest_of_packages()}"
        for name in (self.base, local):
            with contextlib.suppress(docker.errors.ImageNotFound):
                return str(self.client.images.get(name).id)
        try:
            say(f"Fetching {self.base}...")
            return str(self.client.images.pull(self.base).id)
        except docker.errors.APIError as error:
            say(f"{self.base} cannot be fetched: {str(error.explanation or error)[:200]}")
        say("Making a base image from Debian packages instead; this takes a minute or two...")
        return self._make_base(local)

    def _make_base(self, name: str) -> str:
        with tempfile.TemporaryDirectory(prefix="openagent-base-") as folder:
            file = Path(folder, "base.tar")
            _run([str(image_context.IMAGES / "base"), ",".join(image_context.packages("box")), str(file)])
            changes = ["ENV LANG=C.UTF-8", 'CMD ["/bin/bash"]']
            self.client.api.import_image_from_file(str(file), *name.split(":"), changes=changes)
        return str(self.client.images.get(name).id)


def _follow(lines: Iterator[dict[str, str]]) -> None:
    """Read what the engine says of a build. CannotBuild with the last lines when it fails."""
    said: list[str] = []
    for line in lines:
        said.append(line.get("stream", "") or line.get("status", ""))
        if "error" in line:
            raise CannotBuild(f"{line['error']}\n{''.join(said[-20:]).strip()}")


def _stage(agents: Path) -> None:
    _run([str(CHECKOUT / "deploy" / "agents" / "stage"), str(agents)])


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        raise CannotBuild(f"{os.path.basename(command[0])} failed:\n{done.stdout[-2000:].strip()}")


def _say(text: str) -> None:
    print(text, flush=True)
