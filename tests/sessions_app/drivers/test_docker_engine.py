"""The engine's socket: what fails in the middle keeps its own words."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import docker.errors
import pytest
import requests

from openagent.lib.engine import EngineSettings
from sessions_app.drivers.docker_engine import Engine


class Listener:
    """An engine that connects whoever asks to a container's input; `heard` is what came."""

    def __init__(self, path: Path, answer: bytes) -> None:
        self.heard = b""
        self._answer = answer
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(4096)
            connection.sendall(self._answer)
            while piece := connection.recv(4096):
                self.heard += piece


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sock"


@pytest.fixture
def engine(path: Path) -> Engine:
    return Engine(EngineSettings(socket=path, sidecar="sidecar", box="box"))


@pytest.fixture
def listener(path: Path) -> Iterator[Listener]:
    made = Listener(path, b"HTTP/1.1 101 UPGRADED\r\n\r\n")
    yield made
    made.close()


def test_all_that_is_sent_arrives_though_the_engine_never_hangs_up(
    engine: Engine, listener: Listener
) -> None:
    with engine.input_of("one") as stream:
        stream.sendall(b"x" * 50_000)
    listener.thread.join(10)
    assert listener.heard == b"x" * 50_000


@pytest.mark.parametrize(
    "error",
    [
        docker.errors.APIError("no space left on device"),
        requests.exceptions.ReadTimeout("slow"),
        docker.errors.DockerException("else"),
    ],
)
def test_what_fails_in_the_block_is_raised_as_it_is(
    engine: Engine, listener: Listener, error: Exception
) -> None:
    with pytest.raises(type(error)) as raised, engine.input_of("one"):
        raise error
    assert raised.value is error


def test_an_engine_that_does_not_connect_is_no_way_to_the_input(engine: Engine, path: Path) -> None:
    refusing = Listener(path, b"HTTP/1.1 409 Conflict\r\n\r\n")
    error = docker.errors.DockerException
    with pytest.raises(error, match="no way to the input of one"), engine.input_of("one"):
        pass
    refusing.close()


def test_no_engine_is_no_way_to_the_input(engine: Engine) -> None:
    error = docker.errors.DockerException
    with pytest.raises(error, match="no way to the input of one"), engine.input_of("one"):
        pass
