"""One part is run by somebody else's supervisor, and its health is seen from beside it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

import openagent.celery
from openagent.lib.data_dir import DataDir
from openagent.management import part, preparation
from openagent.management.preparation import CannotStart
from tests import ports


class Became(BaseException):
    """What exec would have turned us into."""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataDir:
    def become(program: str, command: list[str]) -> None:
        raise Became(" ".join(command))

    monkeypatch.setenv("OPENAGENT_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("os.execvp", become)
    monkeypatch.setattr("os.umask", lambda mask: None)
    monkeypatch.chdir(tmp_path)
    return DataDir(tmp_path)


def test_a_part_is_what_make_up_runs(data: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAGENT_HOST", "0.0.0.0")
    data.link_socket.parent.mkdir(parents=True)
    data.link_socket.write_text("of one that was killed")
    with pytest.raises(Became, match=r"openagent\.web_server .*tcp:port=8000:interface=0\.0\.0\.0"):
        part.main(["web"])
    assert not data.link_socket.exists()
    with pytest.raises(Became, match="worker -Q default "):
        part.main(["worker"])


def test_a_worker_is_healthy_while_it_says_so(data: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    assert part.healthy_main(["worker"]) == 1
    with pytest.raises(Became):
        part.main(["worker"])
    assert part.healthy_main(["worker"]) == 1
    openagent.celery.beat_pulse()
    assert part.healthy_main(["worker"]) == 0
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    monkeypatch.setattr(time, "clock_gettime", lambda clock: now + 100)
    assert part.healthy_main(["worker"]) == 1


def test_a_worker_of_make_up_has_nobody_to_tell(data: DataDir) -> None:
    openagent.celery.beat_pulse()
    assert not data.pulse.exists()


def test_a_web_part_that_does_not_answer_is_not_healthy(
    data: DataDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAGENT_PORT", str(ports.free()))
    assert part.healthy_main(["web"]) == 1
    assert "does not answer" in capsys.readouterr().out


def test_nothing_saves_what_a_provisioner_works_on(data: DataDir) -> None:
    data.run.mkdir()
    lock = part.share_lock(data)
    with pytest.raises(CannotStart):
        preparation.take_lock(data)
    os.close(lock)
    os.close(preparation.take_lock(data))
