"""When a run counts as ready: pages are served and the worker takes work."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from openagent.lib.data_dir import DataDir
from openagent.management import run as run_module
from openagent.management.run import Run

SECONDS = 60


class Web(HTTPServer):
    """Says how it is to whoever asks, and counts them."""

    status = "ok"
    code = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked = threading.Semaphore(0)


class _Answer(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        self.send_response(self.server.code)
        self.end_headers()
        self.wfile.write(json.dumps({"status": self.server.status}).encode())
        self.server.asked.release()

    def log_message(self, *arguments: Any) -> None:
        return


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def run(web: Web, tmp_path: Path) -> Iterator[Run]:
    data = DataDir(tmp_path)
    for folder in (data.run, data.logs):
        folder.mkdir()
    made = Run(data, -1, {}, "127.0.0.1", web.server_address[1])
    with subprocess.Popen(["sleep", "1000"]) as supervisor:
        made._supervisor = supervisor
        yield made
        supervisor.kill()


def test_it_waits_for_the_worker_too(run: Run, web: Web, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        ready = pool.submit(run.wait_until_ready)
        for _ in range(3):
            assert web.asked.acquire(timeout=SECONDS)
        assert not ready.done()
        DataDir(tmp_path).worker_ready.touch()
        ready.result(SECONDS)


def test_it_does_not_wait_for_a_worker_that_has_no_redis(run: Run, web: Web) -> None:
    web.status = "degraded"
    run.wait_until_ready()


def test_it_waits_for_the_database(run: Run, web: Web, tmp_path: Path) -> None:
    DataDir(tmp_path).worker_ready.touch()
    web.code = 503
    with ThreadPoolExecutor(1) as pool:
        ready = pool.submit(run.wait_until_ready)
        for _ in range(3):
            assert web.asked.acquire(timeout=SECONDS)
        assert not ready.done()
        web.code = 200
        ready.result(SECONDS)


def test_whoever_stops_the_instances_can_say_who_is_late(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], float]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **how: started.append((command, how["timeout"])))
    # It would end whatever else the process of the tests has started.
    monkeypatch.setattr(run, "_sweep", lambda: None)
    run.stop()
    ((command, killed_after),) = started
    assert command[-3:-1] == ["stop_instances", "--timeout"]
    assert float(command[-1]) < killed_after - 1


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("print('stopped')", ""),
        ("import time; time.sleep(1000)", "did not all stop within 2 s"),
        ("raise SystemExit('no database')", "could not be stopped one by one (see"),
    ],
    ids=["in time", "late", "failed"],
)
def test_a_flush_that_is_cut_off_is_told(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    command: str,
    told: str,
) -> None:
    (tmp_path / "manage.py").write_text(command)
    monkeypatch.setattr(run_module, "CHECKOUT", tmp_path)
    monkeypatch.setattr(run_module, "_INSTANCES_SECONDS", 2 if "within" in told else SECONDS)
    run._stop_instances()
    assert told in (said := capfd.readouterr().out)
    assert ("is read from their journals later" in said) == bool(told)
