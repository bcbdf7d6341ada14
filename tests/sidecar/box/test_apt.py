"""What apt in a box is told of where packages come from; the real apt reads it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from sidecar.box import apt

SOURCES = """Debian http://deb.lan/debian bookworm main check-date=no
Debian http://deb.lan/debian bookworm-updates main
Debian http://deb.lan/debian trixie main
Ubuntu http://ubuntu.lan/ubuntu bookworm main
Debian http://deb.lan/debian
"""
KEPT = [
    "deb [check-date=no] http://deb.lan/debian bookworm main",
    "deb http://deb.lan/debian bookworm-updates main",
]


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A Debian that came with sources of its own."""
    folder = tmp_path / "system"
    (folder / "etc/apt/sources.list.d").mkdir(parents=True)
    (folder / "etc/os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
    (folder / "etc/apt/sources.list.d/debian.sources").write_text("Types: deb\n")
    (folder / "etc/apt/sources.list.d/mine.list").write_text("# mine\n")
    return folder


def test_root_has_the_sources_of_this_host_in_place_of_those_of_its_image(system: Path) -> None:
    environment = {apt.SOURCES: SOURCES}
    apt.configure(environment, is_root=True, system=system)
    assert (system / "etc/apt/sources.list").read_text().splitlines() == KEPT
    assert [file.name for file in (system / "etc/apt/sources.list.d").iterdir()] == ["mine.list"]
    assert "APT_CONFIG" not in environment


@pytest.mark.parametrize("sources", ["", "Debian http://deb.lan/debian trixie main"])
def test_without_sources_for_its_system_a_box_keeps_its_own(system: Path, sources: str) -> None:
    apt.configure({apt.SOURCES: sources}, is_root=True, system=system)
    assert not (system / "etc/apt/sources.list").exists()
    assert (system / "etc/apt/sources.list.d/debian.sources").exists()


def test_a_keyring_of_the_distribution_is_named(system: Path) -> None:
    keyring = system / "usr/share/keyrings/debian-archive-keyring.gpg"
    keyring.parent.mkdir(parents=True)
    keyring.touch()
    apt.configure({apt.SOURCES: SOURCES}, is_root=True, system=system)
    assert (
        "[check-date=no signed-by=/usr/share/keyrings/debian" in (system / "etc/apt/sources.list").read_text()
    )


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="there is no apt here")
def test_the_apt_of_somebody_else_works_in_folders_of_their_own(system: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {apt.SOURCES: SOURCES, "HOME": str(home), "PATH": "/usr/bin:/bin"}
    for _ in range(2):
        apt.configure(environment, is_root=False, system=system)
    asked = ["apt-get", "update", "--print-uris"]
    told = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout
    assert {line.split()[0].strip("'") for line in told.splitlines() if "InRelease" in line} == {
        f"http://deb.lan/debian/dists/{release}/InRelease" for release in ("bookworm", "bookworm-updates")
    }
    asked = ["apt-config", "shell", "state", "Dir::State/d", "cache", "Dir::Cache/d"]
    told = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout
    folder = home / ".cache/openagent/apt"
    assert told == f"state='{folder}/state/'\ncache='{folder}/cache/'\n"
