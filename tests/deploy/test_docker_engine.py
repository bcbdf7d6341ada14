"""`deploy/docker-engine` runs a command with an engine, and ends what it started and nothing else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from openagent.lib.data_dir import CHECKOUT
from tests import needs

SECONDS = 60

# Answers as an engine does, and ends when it is told to.
ENGINE = f"""#!{sys.executable}
import http.server, os, pathlib, signal, socketserver, sys

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")

    def address_string(self):
        return ""

def end(*_):
    pid.unlink()
    os._exit(0)

options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
pid = pathlib.Path(options["--pidfile"])
pid.write_text(str(os.getpid()))
signal.signal(signal.SIGTERM, end)
with socketserver.UnixStreamServer(options["--host"].removeprefix("unix://"), Answer) as server:
    server.serve_forever()
"""

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


@pytest.fixture
def minded(sign: signal.Signals) -> Iterator[None]:
    """What is started in it does not ignore the signal, even if we were started that way."""
    before = signal.signal(sign, signal.default_int_handler)
    yield
    signal.signal(sign, before)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_interrupted_leaves_no_engine(
    home: Path, tmp_path: Path, sign: signal.Signals, minded: None
) -> None:
    for name, text in (("dockerd", ENGINE), ("id", "#!/bin/sh\necho 0\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    own = {
        "OPENAGENT_ENGINE_HOME": str(home),
        "OPENAGENT_DOCKER_SOCKET": str(home / "nobody.sock"),
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }
    process = subprocess.Popen(
        [str(CHECKOUT / "deploy" / "docker-engine"), "sh", "-c", f"{ASK}; echo; exec sleep {10 * SECONDS}"],
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "OK\n"
        engine = int((home / "pid").read_text())
        # As a terminal does it: to all that are in it.
        os.killpg(process.pid, sign)
        assert process.wait(SECONDS) == 128 + sign
    assert not (home / "pid").exists()
    assert not Path(f"/proc/{engine}").exists()
