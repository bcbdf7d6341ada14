"""What images are built from, and what is said when there is nobody to build them."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import docker.errors
import pytest
import requests
from django.test import override_settings

from openagent.lib import engine
from openagent.management import image_context, images
from openagent.management.image_context import Context
from sessions_app.services import agents


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Certificates of the host, and agents as they are laid out."""
    certificates, agents = tmp_path / "ca", tmp_path / "agents"
    certificates.mkdir()
    (agents / "opencode" / "bin").mkdir(parents=True)
    (agents / "opencode" / ".versions").write_text("1")
    program = agents / "opencode" / "bin" / "opencode"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    (agents / "opencode" / "link").symlink_to("bin/opencode")
    return certificates, agents


def names(context: Context) -> dict[str, tarfile.TarInfo]:
    with context.write() as file, tarfile.open(fileobj=file) as tar:
        return {entry.name: entry for entry in tar}


def test_a_sidecar_has_its_own_code_and_nothing_of_the_platform(places: tuple[Path, Path]) -> None:
    found = names(Context("sidecar", *places))
    assert {name.partition("/")[0] for name in found} == {"Dockerfile", "system", "requirements.txt", "code"}
    assert "code/sidecar/__main__.py" in found and not any("__pycache__" in name for name in found)


def test_a_box_has_the_agents_and_of_the_sidecar_only_the_box_program(places: tuple[Path, Path]) -> None:
    found = names(Context("box", *places))
    assert {name for name in found if name.startswith("box/") and "sidecar/box" not in name} == {
        "box/__main__.py",
        "box/sidecar/__init__.py",
    }
    assert found["agents/opencode/bin/opencode"].mode == 0o755
    assert found["agents/opencode/link"].linkname == "bin/opencode"


def test_the_platform_knows_the_versions_of_agents_that_it_does_not_have(
    places: tuple[Path, Path], tmp_path: Path
) -> None:
    here = {agent.id: agent.version for agent in agents._BUILT_IN}
    with Context("platform", *places).write() as file, tarfile.open(fileobj=file) as tar:
        for entry in [entry for entry in tar if entry.isfile() and entry.name.startswith("code/deploy/")]:
            content = tar.extractfile(entry)
            assert content is not None
            (tmp_path / entry.name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / entry.name).write_bytes(content.read())
    with override_settings(BASE_DIR=tmp_path / "code"):
        assert {agent.id: agent.version for agent in agents._BUILT_IN} == here
    assert all(here.values())


def test_the_digest_is_of_the_content_and_of_nothing_else(places: tuple[Path, Path]) -> None:
    certificates, agents = places
    context = Context("box", certificates, agents)
    before = context.digest("1")
    os.utime(agents / "opencode" / "bin" / "opencode", (1, 1))
    assert context.digest("1") == before
    assert context.digest("2") != before and Context("sidecar", *places).digest("1") != before
    (agents / "opencode" / ".versions").write_text("2")
    newer = context.digest("1")
    assert newer != before
    (certificates / "own.crt").write_text("-----BEGIN CERTIFICATE-----")
    assert context.digest("1") != newer


def test_a_sidecar_needs_fewer_packages_than_a_box() -> None:
    assert set(image_context.packages("sidecar")) < set(image_context.packages("box"))
    assert "git" in image_context.packages("box") and "#" not in image_context.packages("box")


def test_an_engine_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAGENT_DOCKER_SOCKET", str(tmp_path / "none.sock"))
    with pytest.raises(images.NoEngine, match=r"none\.sock"), images.connected():
        pytest.fail("somebody answered")


@pytest.mark.parametrize(
    "error",
    [
        docker.errors.APIError("500 Server Error", explanation="the disk is full"),
        requests.ConnectionError("the disk is full"),
        OSError("the disk is full"),
    ],
)
def test_what_an_engine_fails_at_is_a_reason_why_nothing_was_built(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    client = SimpleNamespace(ping=lambda: True, close=lambda: None)
    monkeypatch.setattr(engine.EngineSettings, "reach", lambda settings: None)
    monkeypatch.setattr(docker, "DockerClient", lambda **arguments: client)
    with pytest.raises(images.CannotBuild) as told, images.connected():
        raise error
    assert str(told.value) == "the disk is full"


@pytest.mark.parametrize(
    ("name", "repository", "tag"),
    [
        ("registry:5000/box", "registry:5000/box", None),
        ("registry:5000/box:2", "registry:5000/box", "2"),
    ],
)
def test_a_registry_has_a_port_and_an_image_perhaps_a_tag(
    monkeypatch: pytest.MonkeyPatch, places: tuple[Path, Path], name: str, repository: str, tag: str | None
) -> None:
    monkeypatch.setenv("OPENAGENT_BOX_IMAGE", name)
    asked: list[Any] = []
    client: Any = Engine()
    client.found.tag = lambda *arguments: asked.append(arguments)
    builder: Any = images.Builder(client, Context("box", *places), "debian@sha256:01")
    assert builder.find() == "found"
    assert asked == [(repository, tag)]
    assert builder._base(print) == "pulled"
    assert client.pulled == ("debian@sha256:01",)


class Engine:
    """Knows one image without a name, and fetches whatever it is asked for."""

    def __init__(self) -> None:
        self.images = self
        self.found: Any = SimpleNamespace(id="found", tags=[])
        self.pulled: tuple[Any, ...] = ()

    def list(self, **filters: Any) -> list[Any]:
        return [self.found]

    def get(self, name: str) -> Any:
        raise docker.errors.ImageNotFound(name)

    def pull(self, *arguments: Any) -> Any:
        self.pulled = arguments
        return SimpleNamespace(id="pulled")
