"""Every awkward moment in the life of an instance of the process driver has a defined outcome."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sessions_app.drivers import files
from sessions_app.drivers.process_records import Process, Record
from tests.sessions_app.drivers.conftest import Host, Until
from tests.sessions_app.drivers.records import alive, record


def test_a_box_that_ends_lets_its_sidecar_flush(host: Host, until: Until) -> None:
    host.be_patient()
    ref, _ = host.start(volume="disk")
    box = next(p for p in alive(host, ref) if p not in {record(host, ref).keeper()} and _is_box(p))
    box.kill()
    until(lambda: not host.driver.inspect(ref).alive)
    assert (host.options.journal("disk") / "flushed").exists()
    assert host.driver.inspect(ref).detail == "The box ended (killed by SIGKILL)."
    until(lambda: alive(host, ref) == [])


def _is_box(process: Process) -> bool:
    return b"/opt/openagent/box" in Path(f"/proc/{process.pid}/cmdline").read_bytes()


def test_a_box_that_kills_all_it_can_ends_only_itself(host: Host, until: Until) -> None:
    ref, probe = host.start()
    _, other = host.start()
    with contextlib.suppress(ValueError):  # Its sidecar may have ended before it can answer.
        probe.box("bash", "-c", "kill -9 -1")
    until(lambda: not host.driver.inspect(ref).alive)
    assert "ended" in host.driver.inspect(ref).detail
    assert other.sh("echo alive") == "alive\n"


def test_a_keeper_that_is_killed_takes_both_halves_along(host: Host, until: Until) -> None:
    ref, _ = host.start(volume="disk")
    started = alive(host, ref)
    record(host, ref).keeper().kill(signal.SIGKILL)
    until(lambda: not any(process.is_alive() for process in started))
    state = host.driver.inspect(ref)
    assert (state.alive, state.exit_code) == (False, None)
    assert "killed" in state.detail
    host.driver.remove(ref)
    host.start(volume="disk")


def test_who_looks_at_the_moment_of_the_end_is_told_how_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write_json(tmp_path / "keeper.json", {"keeper": {"pid": os.getpid(), "started": 1}})

    def end(keeper: Process) -> bool:
        files.write_json(tmp_path / "exit.json", {"cause": "sidecar", "sidecar": 5, "box": 0})
        return False

    monkeypatch.setattr(Process, "is_alive", end)
    state = Record(tmp_path).state()
    assert (state.alive, state.exit_code, state.detail) == (False, 5, "The sidecar ended (the agent ended).")


def test_a_pid_that_is_used_again_is_not_ours(host: Host) -> None:
    ref, _ = host.start()
    record(host, ref).keeper().kill(signal.SIGKILL)
    record(host, ref).keeper().wait(10)
    # Somebody else's process has the keeper's number now: this one.
    stranger = {"pid": os.getpid(), "started": 1}
    file = record(host, ref).folder / "keeper.json"
    file.write_text(json.dumps({"keeper": stranger, "sidecar": stranger, "box": stranger}))
    assert not host.driver.inspect(ref).alive
    host.driver.remove(ref)
    assert host.driver.list() == []


def test_after_a_restart_of_the_machine_old_numbers_mean_nothing(host: Host, until: Until) -> None:
    ref, _ = host.start(volume="disk")
    started = alive(host, ref)
    plan = record(host, ref).folder / "plan.json"
    plan.write_text(json.dumps({**record(host, ref).plan(), "boot": "another"}))
    # The process is there, but what has its number now could be anybody's.
    state = host.driver.inspect(ref)
    assert (state.alive, state.exit_code) == (False, None)
    assert record(host, ref).processes() == []
    host.driver.remove(ref)
    until(lambda: not any(process.is_alive() for process in started))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"keeper": 1}', b"\xff\x00"])
def test_files_that_are_damaged_count_as_absent(host: Host, until: Until, content: bytes) -> None:
    ref, _ = host.start()
    started = alive(host, ref)
    (record(host, ref).folder / "keeper.json").write_bytes(content)
    assert not host.driver.inspect(ref).alive
    assert {"instance_id": ref["instance_id"], "volume": ref["volume"]} in host.driver.list()
    host.driver.remove(ref)
    until(lambda: not any(process.is_alive() for process in started))


def test_a_create_that_was_killed_early_is_begun_again(host: Host) -> None:
    spec = host.spec()
    folder = host.options.instances / spec.instance_id
    (folder / "run").mkdir(parents=True)
    (folder / ".plan.json.1.1").write_text("{")
    (folder / "config.json").write_text("half")
    assert not host.driver.inspect({"instance_id": spec.instance_id}).alive
    ref = host.driver.create(spec)
    host.link.accept().ready()
    assert host.driver.inspect(ref).alive


def test_what_was_never_started_is_removed(host: Host) -> None:
    folder = host.options.instances / "half"
    (folder / "run").mkdir(parents=True)
    assert host.driver.list() == [{"instance_id": "half"}]
    host.driver.remove({"instance_id": "half"})
    assert not folder.exists()


WORKER = """
import os, sys
sys.path[:] = {path!r}
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
from pathlib import Path, PosixPath
from sessions_app.drivers.base import InstanceSpec
from sessions_app.drivers.limits import Limits
from sessions_app.drivers.process import ProcessDriver
from sessions_app.drivers.process_options import Options
spec = InstanceSpec(instance_id={instance!r}, volume="disk", link={link!r}, token="t", agent="scripted")
ProcessDriver({options!r}).create(spec)
print("made", flush=True)
sys.stdin.read()
"""


def test_instances_outlive_the_process_that_made_them(host: Host) -> None:
    """Made by a process that is killed with its whole group, as a supervisor kills a worker."""
    spec = host.spec()
    script = WORKER.format(path=sys.path, instance=spec.instance_id, link=spec.link, options=host.options)
    worker = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert worker.stdout is not None and worker.stdin is not None
    assert worker.stdout.readline() == b"made\n"
    probe = host.link.accept().ready()
    os.killpg(worker.pid, signal.SIGKILL)
    worker.communicate()
    assert probe.sh("echo alive") == "alive\n"
    [ref] = host.driver.list()
    assert host.driver.inspect(ref).alive
    host.driver.remove(ref)


def test_instances_end_when_the_platforms_lock_is_freed(host: Host, until: Until) -> None:
    lock = host.options.data / "run" / "supervisor.lock"
    driver = host.with_options(supervisor_lock=lock, grace_seconds=60.0)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ref = driver.create(host.spec(volume="disk"))
        host.link.accept().ready()
        # Somebody who looks for the lock in vain changes nothing.
        with lock.open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert driver.inspect(ref).alive
    until(lambda: not driver.inspect(ref).alive)
    assert driver.inspect(ref).detail == "The platform ended."
    assert (host.options.journal("disk") / "flushed").exists()
    with lock.open() as again:
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
