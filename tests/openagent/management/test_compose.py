"""What `make compose` prepares: folders, secrets and the file of variables, made once and kept."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from openagent.lib.data_dir import DataDir
from openagent.management import compose, images

URL = "https://agents.example.com"


class Host:
    """A host with an engine; `built` is what was built there."""

    def __init__(self, place: Path) -> None:
        self.data = DataDir(place / "data")
        self.file = place / "compose.env"
        self.built: list[Sequence[str]] = []

    def prepare(self, *options: str) -> int:
        return compose.main(["--env-file", str(self.file), *options])

    def prepare_first(self) -> int:
        return self.prepare("--url", URL, "--data-dir", str(self.data.root))

    def value(self, name: str) -> str:
        found = re.search(f"^{name}=(.*)$", self.file.read_text(), re.MULTILINE)
        assert found, name
        return found[1]


@pytest.fixture
def short() -> Iterator[Path]:
    """A short path, for there are sockets in it, and below no folder that other users cannot enter."""
    folder = Path(tempfile.mkdtemp(prefix="oa-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def host(short: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    host = Host(short)

    def build(client: Any, agents: Path, *, say: Any, roles: Sequence[str]) -> None:
        host.built.append(roles)

    monkeypatch.setattr(images, "build", build)
    monkeypatch.setattr(images, "connected", contextlib.nullcontext)
    monkeypatch.setattr(compose, "_FRONTEND", short)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(short / "engine.sock"))
        monkeypatch.setenv("OPENAGENT_DOCKER_SOCKET", str(short / "engine.sock"))
        yield host


def test_everything_that_compose_mounts_is_made(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert host.prepare_first() == 0
    code = (host.data.secrets / "setup-code").read_text().strip()
    assert code.isdecimal() and code in capsys.readouterr().out
    password = (host.data.secrets / "database-password").read_text().strip()
    assert password in (host.data.secrets / "database-url").read_text()
    assert stat.S_IMODE(host.data.secrets.stat().st_mode) == 0o700
    assert host.data.link_socket.parent.is_dir() and (host.data.root / "proxy").is_dir()
    assert host.data.chosen_driver == "docker"
    assert host.built == [("sidecar", "box", "platform")]
    assert host.value("OPENAGENT_PUBLIC_URL") == URL and host.value("SITE") == "agents.example.com"
    assert host.value("OPENAGENT_DATA_DIR") == str(host.data.root)
    owner = os.stat(host.data.secrets / "secret-key")
    assert host.value("PLATFORM_USER") == f"{owner.st_uid}:{owner.st_gid}" and owner.st_uid != 0
    for secret in host.data.secrets.iterdir():
        assert secret.read_text().strip() not in host.file.read_text()


def test_again_after_an_update_only_images_are_made(host: Host) -> None:
    assert host.prepare_first() == 0
    host.file.write_text(host.file.read_text().replace("HTTPS_PORT=443", "HTTPS_PORT=8443"))
    before = {file: file.read_text() for file in host.data.secrets.iterdir()}
    assert host.prepare() == 0
    assert {file: file.read_text() for file in host.data.secrets.iterdir()} == before
    assert host.value("HTTPS_PORT") == "8443" and len(host.built) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [((), "make compose URL="), (("--url", "http://agents.example.com"), "make compose URL=")],
)
def test_an_address_is_needed_first(
    host: Host, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert host.prepare(*options) == 1
    assert said in capsys.readouterr().err and not host.file.exists()


def test_sessions_without_containers_stay_where_they_are(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    host.data.root.mkdir()
    host.data.driver.write_text("process\n")
    assert host.prepare_first() == 1
    assert "have no containers" in capsys.readouterr().err


def test_sessions_of_a_run_by_itself_stay_where_they_are(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    """The database of compose is another one: in it there would be none of them."""
    host.data.root.mkdir()
    host.data.driver.write_text("docker\n")
    host.data.database.touch()
    assert host.prepare_first() == 1
    assert "sessions of `make up`" in capsys.readouterr().err and not host.file.exists()
