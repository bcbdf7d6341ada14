"""How a pair of containers ended, in words, from what an engine answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from openagent.lib.engine import EngineSettings
from sessions_app.drivers import docker_words
from sessions_app.drivers.docker import DockerDriver
from sessions_app.drivers.docker_engine import Engine
from sessions_app.drivers.docker_options import Options
from sessions_app.drivers.limits import Limits

NEVER, ONCE = "0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z"


def half(*, running: bool = False, code: int = 0, oom: bool = False, started: str = ONCE) -> dict[str, Any]:
    return {
        "State": {"Running": running, "ExitCode": code, "OOMKilled": oom, "StartedAt": started},
        "Config": {"User": "10001:10001"},
        "HostConfig": {"Runtime": "runc", "Memory": 2**30},
    }


RUNS = half(running=True)


@pytest.mark.parametrize(
    ("sidecar", "box", "alive", "code", "words"),
    [
        (None, None, False, None, "It is not there"),
        (half(started=NEVER), RUNS, False, None, "It was not started"),
        (RUNS, RUNS, True, None, "Runs (runtime runc, no root in the box, memory 1024 MB)"),
        (half(code=0), half(), False, 0, "as it was asked to"),
        (half(code=5), half(), False, 5, "the agent ended"),
        (half(code=6), half(code=137, oom=True), False, 6, "the box ran out of memory"),
        (half(code=137), half(), False, None, "killed by SIGKILL"),
        (half(code=137, oom=True), half(), False, None, "the sidecar ran out of memory"),
        (half(code=255), half(code=255), False, None, "the engine was restarted"),
        (RUNS, half(code=1), False, None, "The box ended (exit code 1)"),
        (RUNS, None, False, None, "The box ended (it was removed)"),
    ],
)
def test_a_pair_is_told_in_words(
    sidecar: dict[str, Any] | None, box: dict[str, Any] | None, alive: bool, code: int | None, words: str
) -> None:
    state = docker_words.state(sidecar, box)
    assert (state.alive, state.exit_code) == (alive, code)
    assert words in state.detail


class Ending:
    """An engine that has an instance which ends after the first look: the agent, and both halves with it."""

    has_ended = False

    @property
    def api(self) -> Ending:
        return self

    def inspect_container(self, name: str) -> dict[str, Any]:
        runs, self.has_ended = not self.has_ended, True
        return half(running=runs, code=5 if name.endswith("-sidecar") and not runs else 0)

    def stop(self, name: str, *, timeout: int) -> None:
        assert name.endswith("-box"), timeout


def test_one_that_ends_while_it_is_looked_at_is_told_by_the_half_that_ended_first(tmp_path: Path) -> None:
    engine = EngineSettings(socket=tmp_path / "engine.sock", sidecar="sidecar", box="box")
    driver = DockerDriver(Options(data=tmp_path, engine=engine, limits=Limits()))
    driver._engine = cast(Engine, Ending())
    state = driver.inspect({"instance_id": "one"})
    assert (state.alive, state.exit_code, state.detail) == (False, 5, "The sidecar ended (the agent ended).")
