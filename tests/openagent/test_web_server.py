"""The web server goes no faster than the client, shows when an answer is cut, and bounds what it is sent."""

from __future__ import annotations

import http.client
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, unix_connect

from openagent.bounded_request import most_bytes
from openagent.lib.data_dir import CHECKOUT
from openagent.paced_socket import MAX_UNTAKEN_BYTES
from tests.fakes.streaming_app import CLOSED, PIECE, PIECES

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
        until(lambda: is_there(path), process)
        yield path
    finally:
        process.terminate()
        assert process.wait(SECONDS) is not None


def is_there(path: Path) -> bool:
    """Whether it takes connections, which begins a moment after its socket has its name."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    """Waits for it; in vain when the process ends."""
    deadline = time.monotonic() + 2 * SECONDS
    while not condition():
        assert time.monotonic() < deadline and (process is None or process.poll() is None)
        time.sleep(0.05)


@contextmanager
def get(server: Path, path: str) -> Iterator[http.client.HTTPResponse]:
    with closing(_Connection(server)) as connection:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            yield answer


def sent(server: Path) -> int:
    with get(server, "/sent") as answer:
        return int(answer.read())


def settled_level(level: Callable[[], int]) -> int:
    before = -1
    while before != (before := level()):
        time.sleep(0.3)
    return before


def settled(server: Path) -> int:
    """How many pieces were sent when no more are: as long as the kernel's buffers fill up, it goes on."""
    return settled_level(lambda: sent(server))


def check_all_sent(server: Path, before: int) -> None:
    """Sooner or later: it may stand still in between, on a busy machine."""
    until(lambda: sent(server) - before >= PIECES)
    assert sent(server) - before == PIECES


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
    check_all_sent(server, before)


def test_an_answer_that_fails_in_the_middle_is_cut_at_once(server: Path) -> None:
    for _ in range(3):
        started = time.monotonic()
        with get(server, "/fails") as answer, pytest.raises(http.client.IncompleteRead) as error:
            answer.read()
        assert len(error.value.partial) == 3 * len(PIECE)
        # Whoever is not cut waits for as long as the client has patience.
        assert time.monotonic() - started < SECONDS / 2


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


def test_a_body_that_says_that_it_is_too_long_is_refused_at_once(server: Path) -> None:
    head = b"POST /sent HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n"
    with closing(socket.socket(socket.AF_UNIX)) as client, client.makefile("rb") as stream:
        client.settimeout(SECONDS)
        client.connect(str(server))
        # With all that it gets in one piece, it has read everything when it closes.
        client.sendall(head % (20 << 30) + b"x")
        answer = stream.read()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1") == 1


def test_a_body_that_turns_out_too_long_is_refused(server: Path) -> None:
    chunk = b"10000\r\n" + PIECE + b"\r\n"
    with closing(_Connection(server)) as connection:
        connection.putrequest("POST", "/sent")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        sent_by_us = 0
        with pytest.raises(OSError):
            while sent_by_us < 64 << 20:
                connection.send(chunk)
                sent_by_us += len(PIECE)
        assert most_bytes() - len(PIECE) <= sent_by_us < most_bytes() + (4 << 20)
        with connection.getresponse() as answer:
            assert answer.status == 413


def test_a_body_that_ends_with_the_piece_that_is_too_much_reaches_nobody(server: Path) -> None:
    head = b"POST /sent HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with closing(socket.socket(socket.AF_UNIX)) as client, client.makefile("rb") as stream:
        client.settimeout(SECONDS)
        client.connect(str(server))
        client.sendall(head + b"%x\r\n" % most_bytes() + bytes(most_bytes()) + b"\r\n1\r\nx\r\n0\r\n\r\n")
        answer = stream.read()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_the_longest_body_is_taken(server: Path) -> None:
    with closing(_Connection(server)) as connection:
        for _ in range(2):
            connection.request("POST", "/sent", bytes(most_bytes()))
            assert connection.getresponse().read().isdigit()


def test_a_client_does_not_say_where_our_addresses_begin(server: Path) -> None:
    with closing(_Connection(server)) as connection:
        connection.request("GET", "/sent", headers={"Daphne-Root-Path": "/x"})
        with connection.getresponse() as answer:
            assert (answer.status, answer.headers["x-root"]) == (200, "")


def connect(server: Path, path: str) -> ClientConnection:
    # It reads a few messages ahead, and then no more until they are asked for.
    return unix_connect(
        str(server), f"ws://localhost{path}", max_queue=4, compression=None, open_timeout=SECONDS
    )


def test_a_viewer_that_does_not_read_is_not_sent_everything(server: Path) -> None:
    before = settled(server)
    with connect(server, "/pushes") as viewer:
        received = len(viewer.recv(SECONDS))
        assert (settled(server) - before) * len(PIECE) < 8 << 20
        with pytest.raises(ConnectionClosed) as end:
            while True:
                received += len(viewer.recv(SECONDS))
    assert end.value.rcvd is not None
    assert end.value.rcvd.code == CLOSED
    assert received == PIECES * len(PIECE)
    assert sent(server) - before == PIECES


def test_a_viewer_that_goes_away_leaves_nothing_behind(server: Path) -> None:
    before = settled(server)
    with connect(server, "/pushes") as viewer:
        viewer.recv(SECONDS)
        settled(server)
        viewer.socket.shutdown(socket.SHUT_RDWR)
    check_all_sent(server, before)


def test_what_the_application_does_not_take_is_not_read(server: Path) -> None:
    sent_by_us = 0

    def send() -> None:
        nonlocal sent_by_us
        for _ in range(1024):
            client.send(PIECE)
            sent_by_us += len(PIECE)
        client.send("done")

    with connect(server, "/takes") as client:
        sender = threading.Thread(target=send)
        sender.start()
        # It may stand still on the way there, on a busy machine.
        until(lambda: sent_by_us >= MAX_UNTAKEN_BYTES)
        level = settled_level(lambda: sent_by_us)
        # Beside the kernel's buffers; and there are twice as many of both ends.
        assert level < MAX_UNTAKEN_BYTES + (4 << 20)
        with get(server, "/take"):
            pass
        assert client.recv(SECONDS) == str(1024 * len(PIECE))
        sender.join(SECONDS)


def test_pings_whose_answers_are_not_read_are_not_all_answered(server: Path) -> None:
    pings = 32_768
    with closing(socket.socket(socket.AF_UNIX)) as client, client.makefile("rb") as stream:
        client.settimeout(SECONDS)
        client.connect(str(server))
        client.sendall(
            b"GET /takes HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        while stream.readline() != b"\r\n":
            pass
        for number in range(pings):
            # A mask of zeros changes nothing.
            client.sendall(b"\x89\xe4" + bytes(4) + struct.pack(">I", number) + bytes(96))
        answers = [-1]
        while answers[-1] != pings - 1:
            assert stream.read(2) == b"\x8a\x64"
            answers.append(struct.unpack(">I96x", stream.read(100))[0])
        assert answers == sorted(answers)
        assert len(answers) < pings / 2
    with get(server, "/take"):
        pass
