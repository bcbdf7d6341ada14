"""How a pair of containers ended, in words, from what an engine answers."""

from __future__ import annotations

from typing import Any

import pytest

from sessions_app.drivers import docker_words

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
