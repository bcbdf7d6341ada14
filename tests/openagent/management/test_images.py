"""What images are built from, and what is said when there is nobody to build them."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from openagent.management import image_context, images
from openagent.management.image_context import Context


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
