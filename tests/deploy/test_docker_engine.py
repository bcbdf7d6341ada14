"""`deploy/docker-engine` runs a command with an engine, and ends what it started and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from openagent.lib.data_dir import CHECKOUT
from tests import needs

ASK = 'curl -fsS --unix-socket "$OPENAGENT_DOCKER_SOCKET" http://engine/_ping'


@pytest.fixture
def home() -> Iterator[Path]:
    """Where it keeps its engine; a short path, for there are sockets in it."""
    folder = Path(tempfile.mkdtemp(prefix="oa-engine-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def run(command: str, home: Path, socket: Path) -> subprocess.CompletedProcess[str]:
    own = {"OPENAGENT_ENGINE_HOME": str(home), "OPENAGENT_DOCKER_SOCKET": str(socket)}
    return subprocess.run(
        [str(CHECKOUT / "deploy" / "docker-engine"), "sh", "-c", command],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.slow
def test_an_engine_is_started_where_none_answers_and_ended_with_the_command(home: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        pytest.skip("only root can start an engine")
    needs.docker()
    done = run(f"{ASK}; exit 7", home, home / "nobody.sock")
    assert (done.returncode, done.stdout) == (7, "OK"), done.stderr
    assert not (home / "pid").exists()


@pytest.mark.slow
def test_an_engine_that_answers_is_used_and_left_alone(home: Path) -> None:
    engine = needs.docker()
    done = run(ASK, home, engine)
    assert (done.returncode, done.stdout) == (0, "OK"), done.stderr
    assert list(home.iterdir()) == []
    assert needs.docker() == engine
