"""What apt in a box is told of where packages come from; the real apt reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sidecar.box import apt
from tests.fakes import packages

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
    (folder / "var/lib/dpkg").mkdir(parents=True)
    (folder / "var/lib/dpkg/status").write_text(stanza("there"))
    return folder


def stanza(name: str) -> str:
    fields = (
        "Status: install ok installed",
        "Version: 1",
        "Architecture: all",
        "Maintainer: x <x@example.com>",
    )
    return "\n".join((f"Package: {name}", *fields, f"Description: {name}\n"))


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


@pytest.fixture
def user(system: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a user who is not root, with packages `new` and `there` to be had."""
    if not all(map(shutil.which, ("apt-get", "dpkg-deb"))):
        pytest.skip("there is no apt here")
    pages = packages.apt(tmp_path / "made", "bookworm", names=("tiny", "there"))
    for path, content in pages.items():
        (tmp_path / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path.lstrip("/")).write_bytes(content)
    sources = f"Debian file:{tmp_path}/debian bookworm main trusted=yes"
    environment = {apt.SOURCES: sources, "HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    apt.configure(environment, is_root=False, system=system)
    assert run(environment, "apt-get", "update").returncode == 0
    return environment


def run(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def test_who_is_not_root_installs_packages_and_finds_what_they_bring(
    user: dict[str, str], system: Path
) -> None:
    done = run(user, "apt-get", "install", "-y", "tiny")
    assert done.returncode == 0 and "is not root" in done.stdout, done.stdout
    assert "more than it reported" not in done.stdout, done.stdout
    found = run(user, "sh", "-c", "tiny")
    assert found.stdout.strip() == packages.FOUND
    # In the next life of the box, too.
    apt.configure(user, is_root=False, system=system)
    assert "0 newly installed" in run(user, "apt-get", "install", "-y", "tiny").stdout
    done = run(user, "apt-get", "remove", "-y", "tiny")
    assert done.returncode != 0 and "stay where they were unpacked" in done.stdout


def test_whatever_is_in_its_folder_a_box_starts_and_apt_works(user: dict[str, str], system: Path) -> None:
    folder = Path(user["APT_CONFIG"]).parent
    (folder / "unpacked/latin:all").write_bytes(
        stanza("latin").encode().replace(b"Maintainer: x", b"Maintainer: \xe4")
    )
    (folder / "unpacked/endless").symlink_to("/dev/zero")
    (folder / "unpacked/folder").mkdir()
    for name in ("sources.list", "apt.conf", "dpkg", "state/status.new", "unpacked/pipe"):
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)
    apt.configure(user, is_root=False, system=system)
    done = run(user, "apt-get", "install", "-y", "tiny", "latin")
    assert done.returncode == 0 and "Unpacking tiny" in done.stdout, done.stdout


def test_what_the_system_has_is_not_replaced(user: dict[str, str]) -> None:
    done = run(user, "apt-get", "install", "-y", "there")
    assert done.returncode == 0 and "0 upgraded, 0 newly installed" in done.stdout, done.stdout
    done = run(user, "apt-get", "install", "-y", "--upgrade", "-o", "APT::Get::Upgrade=true", "there")
    assert done.returncode != 0 and "there belongs to the system of this box" in done.stdout, done.stdout


@pytest.mark.skipif(shutil.which("apt-config") is None, reason="there is no apt here")
@pytest.mark.parametrize("is_root", [False, True])
def test_whatever_a_system_is_called_apt_reads_what_it_is_told(
    system: Path, tmp_path: Path, is_root: bool
) -> None:
    (system / "etc/apt/sources.list.d/debian.sources").unlink()
    (system / "etc/apt/sources.list.d/mine.list").unlink()
    (system / "etc/apt/apt.conf.d").mkdir()
    name = """My "own" \\n %41 it's; system"""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    about = f'PRETTY_NAME="{quoted}"\nBROKEN="\nLATIN="\xe4"\nID=mine\n'
    (system / "etc/os-release").write_bytes(about.encode("latin-1"))
    authorities = f'{tmp_path}/"a" \\ b'
    environment = {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "SSL_CERT_FILE": authorities}
    apt.configure(environment, is_root=is_root, system=system)
    file = str(system / "etc/apt/apt.conf.d/90openagent") if is_root else environment["APT_CONFIG"]
    asked = {"PATH": "/usr/bin:/bin", "APT_CONFIG": file}

    def told(option: str) -> str:
        command = ["apt-config", "dump", "--format", "%v%n", option]
        return subprocess.run(command, env=asked, capture_output=True, text=True, check=True).stdout.strip()

    said = subprocess.run(["sh", "-c", told("APT::Update::Post-Invoke")], capture_output=True, text=True)
    assert f"has no sources of packages for {name}, and" in said.stderr
    assert is_root or told("Acquire::https::CAInfo") == authorities


def test_a_box_for_which_there_are_no_packages_says_so(system: Path, tmp_path: Path) -> None:
    (system / "etc/apt/sources.list.d/debian.sources").unlink()
    (system / "etc/apt/sources.list.d/mine.list").unlink()
    environment = {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    apt.configure(environment, is_root=False, system=system)
    assert "no sources of packages" in Path(environment["APT_CONFIG"]).read_text()
    (system / "etc/apt/apt.conf.d").mkdir()
    apt.configure({}, is_root=True, system=system)
    assert "no sources of packages" in (system / "etc/apt/apt.conf.d/90openagent").read_text()
