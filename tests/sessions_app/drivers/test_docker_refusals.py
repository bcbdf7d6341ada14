"""Engines and images that cannot be used: each is refused in words that say what to do."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import docker.errors
import pytest

from openagent.lib.engine import EngineSettings
from sessions_app.drivers import docker_engine
from sessions_app.drivers.base import DriverError
from sessions_app.drivers.docker_engine import Engine, explained

VERSION = {"Version": "24.0.0", "ApiVersion": "1.43", "Components": [{"Name": "Engine"}]}
BOX = {"Id": "sha256:1", "Config": {"Labels": {"org.openagent.role": "box"}}}


class Stub(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers what `answers` has for the end of a path; a path with None for an answer gets none."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Answer)
        self.answers: dict[str, Any] = {"/version": VERSION}
        self.is_over = threading.Event()


class Answer(BaseHTTPRequestHandler):
    server: Stub

    def do_GET(self) -> None:
        for end, answer in self.server.answers.items():
            if self.path.endswith(end):
                if answer is None:
                    self.server.is_over.wait(30)
                    return
                self._say(200, answer)
                return
        self._say(404, {"message": "no such image"})

    def _say(self, status: int, answer: Any) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Not to be heard."""

    def address_string(self) -> str:
        return "engine"


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    with Stub(tmp_path / "engine.sock") as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.is_over.set()
        made.shutdown()
        thread.join()


@pytest.fixture
def engine(stub: Stub, tmp_path: Path) -> Iterator[Engine]:
    made = Engine(EngineSettings(socket=tmp_path / "engine.sock", sidecar="sidecar", box="box"))
    yield made
    made.close()


def refusal(engine: Engine) -> DriverError:
    with pytest.raises(DriverError) as caught, explained(engine.settings):
        engine.image("box")
    return caught.value


def test_an_engine_that_hangs_is_left_to_the_next_pass(engine: Engine, stub: Stub) -> None:
    assert engine.api.timeout == docker_engine.ANSWER_SECONDS
    stub.answers["/json"] = None
    engine.api.timeout = 0.5
    error = refusal(engine)
    engine.api.timeout = docker_engine.ANSWER_SECONDS
    assert (error.code, error.permanent) == ("engine_hangs", False) and "restart it" in error.message
    stub.answers["/json"] = BOX
    assert engine.image("box") == BOX, "It goes on as soon as the engine does."


@pytest.mark.parametrize(
    ("version", "code", "words"),
    [
        ({**VERSION, "ApiVersion": "1.40"}, "engine_old", "Docker 20.10 or newer"),
        ({**VERSION, "Components": [{"Name": "Podman Engine"}]}, "engine_unsupported", "Use Docker's engine"),
    ],
)
def test_an_engine_that_cannot_be_used_is_refused(
    engine: Engine, stub: Stub, version: dict[str, Any], code: str, words: str
) -> None:
    stub.answers = {"/version": version, "/json": BOX}
    error = refusal(engine)
    assert (error.code, error.permanent) == (code, True) and words in error.message


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ({"Id": "sha256:2", "Config": {"Labels": None}}, "image_wrong"),
        ({"Id": "sha256:2", "Config": {"Labels": {"org.openagent.role": "sidecar"}}}, "image_wrong"),
        (None, "image_missing"),
    ],
)
def test_an_image_that_is_none_of_ours_is_refused(
    engine: Engine, stub: Stub, image: dict[str, Any] | None, code: str
) -> None:
    if image:
        stub.answers["/json"] = image
    error = refusal(engine)
    assert (error.code, error.permanent) == (code, True) and "make images" in error.message


def test_a_runtime_that_starts_nothing_is_named(tmp_path: Path) -> None:
    settings = EngineSettings(socket=tmp_path / "engine.sock", sidecar="sidecar", box="box", runtime="runsc")
    said = docker.errors.APIError("500", explanation="OCI runtime start failed: setting up network: no")
    with pytest.raises(DriverError) as caught, explained(settings):
        raise said
    assert (caught.value.code, caught.value.permanent) == ("runtime_failed", True)
    assert "setting up network" in caught.value.message and "docs/docker-driver.md" in caught.value.message
    with pytest.raises(DriverError) as caught, explained(replace(settings, runtime="runc")):
        raise said
    assert caught.value.code == "engine_refused"
