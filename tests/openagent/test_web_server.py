"""The web server sends no faster than the client reads, and shows when an answer is not whole."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from openagent.lib.data_dir import CHECKOUT
from tests.fakes.streaming_app import PIECE, PIECES

SECONDS = 30


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(str(self._path))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("web") / "s"
    command = [sys.executable, "-m", "openagent.web_server", "-u", str(path), "-v", "0"]
    process = subprocess.Popen([*command, "tests.fakes.streaming_app:application"], cwd=CHECKOUT)
    try:
        deadline = time.monotonic() + SECONDS
        while not path.exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        yield path
    finally:
        process.terminate()
        assert process.wait(SECONDS) is not None


@contextmanager
def get(server: Path, path: str) -> Iterator[http.client.HTTPResponse]:
    with closing(_Connection(server)) as connection:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            yield answer


def sent(server: Path) -> int:
    with get(server, "/sent") as answer:
        return int(answer.read())


def settled(server: Path) -> int:
    """How many pieces were sent when no more are: as long as the kernel's buffers fill up, it goes on."""
    level = -1
    while level != (level := sent(server)):
        time.sleep(0.3)
    return level


def test_a_client_that_does_not_read_is_not_sent_everything(server: Path) -> None:
    before = settled(server)
    with get(server, "/long") as answer:
        received = len(answer.read(1000))
        assert (settled(server) - before) * len(PIECE) < 8 << 20
        while piece := answer.read(1 << 20):
            received += len(piece)
    assert received == PIECES * len(PIECE)
    assert sent(server) - before == PIECES


def test_a_client_that_goes_away_leaves_nothing_behind(server: Path) -> None:
    before = settled(server)
    with get(server, "/long") as answer:
        answer.read(1000)
    # The rest goes nowhere, but nobody waits for it any more.
    assert settled(server) - before == PIECES


def test_an_answer_that_fails_in_the_middle_is_cut_at_once(server: Path) -> None:
    for _ in range(3):
        started = time.monotonic()
        with get(server, "/fails") as answer, pytest.raises(http.client.IncompleteRead) as error:
            answer.read()
        assert len(error.value.partial) == 3 * len(PIECE)
        assert time.monotonic() - started < 5


def test_failures_are_still_noticed_after_one_was_cut(server: Path) -> None:
    """The error page comes from a round that Daphne makes every second, and must go on making."""
    with get(server, "/fails") as answer, pytest.raises(http.client.IncompleteRead):
        answer.read()
    time.sleep(1.5)
    with get(server, "/fails-at-once") as answer:
        assert answer.status == 500


def test_short_answers_share_a_connection(server: Path) -> None:
    with closing(_Connection(server)) as connection:
        for _ in range(3):
            connection.request("GET", "/sent")
            assert connection.getresponse().read().isdigit()
