"""Volumes of a real engine are saved and brought back, with owners, modes and links."""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from openagent.lib.engine import PREFIX
from openagent.management import volumes
from openagent.management.preparation import CannotStart
from tests import needs
from tests.docker_fixtures import BUILD_SECONDS, container_engine, real_images

__all__ = ["container_engine", "real_images"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(BUILD_SECONDS)]

KINDS = ("home", "workspace", "journal")
OWNER = {"home": 10001, "workspace": 10001, "journal": 10002}


class Engine:
    """The volumes of one session on the real engine."""

    def __init__(self, client: docker.DockerClient) -> None:
        self.client = client
        self.installation = secrets.token_hex(4)
        self.labels = {f"{PREFIX}installation": self.installation, f"{PREFIX}volume": "a-b"}

    def name(self, kind: str) -> str:
        return f"openagent-{self.installation}-a-b-{kind}"

    def make(self) -> None:
        for kind in KINDS:
            self.client.volumes.create(self.name(kind), labels=self.labels)
            self.put(kind)
        instance = {f"{PREFIX}instance": "of-now"}
        self.client.volumes.create(f"openagent-{self.installation}-run", labels=self.labels | instance)

    def put(self, kind: str) -> None:
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as tar:
            script = tarfile.TarInfo("notes/run.sh")
            script.size, script.mode, script.uid, script.gid = 5, 0o740, OWNER[kind], 7
            tar.addfile(script, io.BytesIO(b"true\n"))
            link = tarfile.TarInfo("latest")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(link)
        content.seek(0)
        with volumes.holding(self.client, self.name(kind)) as (container, place):
            self.client.api.put_archive(container, place, content)

    def entries(self, kind: str) -> dict[str, tuple[int, int, int, int, str]]:
        with volumes.holding(self.client, self.name(kind)) as (container, place):
            parts, _ = self.client.api.get_archive(container, f"{place}/.")
            with tarfile.open(fileobj=io.BytesIO(b"".join(parts))) as tar:
                return {
                    each.name: (each.mode & 0o7777, each.uid, each.gid, each.size, each.linkname)
                    for each in tar
                }

    def remove(self) -> None:
        for volume in self.client.volumes.list(filters={"label": f"{PREFIX}volume=a-b"}):
            if volume.attrs["Labels"][f"{PREFIX}installation"] == self.installation:
                volume.remove()


@pytest.fixture
def engine(
    container_engine: docker.DockerClient, real_images: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    monkeypatch.setenv("OPENAGENT_DOCKER_SOCKET", str(needs.docker()))
    engine = Engine(container_engine)
    yield engine
    engine.remove()


def test_volumes_come_back_as_they_were(engine: Engine, tmp_path: Path) -> None:
    engine.make()
    before = {kind: engine.entries(kind) for kind in KINDS}
    for kind in KINDS:
        (top,) = (entry for name, entry in before[kind].items() if name in (".", "./"))
        assert top[:3] == (0o700, OWNER[kind], OWNER[kind])
    assert volumes.save(engine.installation, tmp_path / "volumes") == len(KINDS)
    assert {file.name for file in (tmp_path / "volumes").iterdir()} == {
        f"{engine.name(kind)}.tar" for kind in KINDS
    }
    with pytest.raises(CannotStart, match="is still here"):
        volumes.check(tmp_path / "volumes")
    engine.remove()
    volumes.check(tmp_path / "volumes")
    assert volumes.restore(engine.installation, tmp_path / "volumes") == len(KINDS)
    assert {kind: engine.entries(kind) for kind in KINDS} == before
    for kind in KINDS:
        assert engine.client.volumes.get(engine.name(kind)).attrs["Labels"] == engine.labels


def test_an_image_is_needed_and_nothing_unfinished_is_taken_for_a_backup(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.make()
    monkeypatch.setenv("OPENAGENT_BOX_IMAGE", "openagent-box:none")
    with pytest.raises(CannotStart, match="make images"):
        volumes.save(engine.installation, tmp_path / "volumes")
    assert not (tmp_path / "volumes").exists()
    with pytest.raises(CannotStart, match="make images"):
        volumes.check(tmp_path / "volumes")
