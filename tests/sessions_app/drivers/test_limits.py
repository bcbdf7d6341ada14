"""Control groups of both versions are made as far as a host allows, and described as they are."""

from __future__ import annotations

import os
import resource
import subprocess
import uuid
from pathlib import Path

import pytest

from sessions_app.drivers import limits
from sessions_app.drivers.limits import ControlGroups, Limits

LIMITS = Limits(memory_mb=300, processes=50, file_mb=10, tmp_mb=5)


def mounts(folder: Path, *lines: str) -> Path:
    file = folder / "mounts"
    file.write_text("".join(f"{line}\n" for line in ("proc /proc proc rw 0 0", *lines)))
    return file


def test_version_1_has_a_group_per_controller(tmp_path: Path) -> None:
    for name in ("memory", "pids", "cpu,cpuacct"):
        (tmp_path / name).mkdir()
    table = mounts(
        tmp_path,
        f"cgroup {tmp_path}/memory cgroup rw,relatime,memory 0 0",
        f"cgroup {tmp_path}/pids cgroup rw,relatime,pids 0 0",
        f"cgroup {tmp_path}/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0",
        f"cgroup2 {tmp_path}/unified cgroup2 rw 0 0",
    )
    groups = limits.make("one", LIMITS, mounts=table)
    memory, pids = tmp_path / "memory/openagent/one", tmp_path / "pids/openagent/one"
    assert groups.folders == [memory, pids, tmp_path / "cpu,cpuacct/openagent/one"]
    assert (memory / "memory.limit_in_bytes").read_text() == str(300 * 2**20)
    assert (memory / "memory.memsw.limit_in_bytes").read_text() == str(300 * 2**20)
    assert (pids / "pids.max").read_text() == "50"
    assert groups.out_of_memory == memory / "memory.oom_control"
    assert (
        groups.describe(LIMITS) == "memory 300 MB, 50 processes (control group), files up to 10 MB, /tmp 5 MB"
    )


def test_version_2_has_one_group(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    groups = limits.make("one", LIMITS, mounts=mounts(tmp_path, f"cgroup2 {tmp_path} cgroup2 rw 0 0"))
    folder = tmp_path / "openagent/one"
    assert groups.folders == [folder]
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    assert (tmp_path / "openagent/cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    assert (folder / "memory.max").read_text() == str(300 * 2**20)
    assert (folder / "memory.swap.max").read_text() == "0"
    assert (folder / "pids.max").read_text() == "50"
    assert groups.out_of_memory == folder / "memory.events"
    assert groups.memory and groups.processes


@pytest.mark.parametrize("controllers", ["", "io\n"])
def test_a_host_without_the_controllers_says_what_does_not_hold(tmp_path: Path, controllers: str) -> None:
    (tmp_path / "cgroup.controllers").write_text(controllers)
    groups = limits.make("one", LIMITS, mounts=mounts(tmp_path, f"cgroup2 {tmp_path} cgroup2 rw 0 0"))
    assert groups == ControlGroups()
    assert groups.describe(LIMITS).startswith("memory not limited, 50 processes (resource limit)")


def test_a_host_that_refuses_gives_none(tmp_path: Path) -> None:
    for line in (f"cgroup {tmp_path}/no cgroup rw,memory 0 0", f"cgroup2 {tmp_path}/no cgroup2 rw 0 0"):
        (tmp_path / "no").write_text("a file, so that nothing can be made in it")
        assert limits.make("one", LIMITS, mounts=mounts(tmp_path, line)) == ControlGroups()
    assert limits.make("one", LIMITS, mounts=mounts(tmp_path)) == ControlGroups()


def test_removal_takes_what_is_empty(tmp_path: Path) -> None:
    empty, used = tmp_path / "empty", tmp_path / "used"
    empty.mkdir()
    (used / "child").mkdir(parents=True)
    limits.remove([empty, used, tmp_path / "absent"])
    assert not empty.exists() and used.exists()


def test_members_are_the_processes_in_a_group(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").write_text("12\n345\n")
    assert limits.members([tmp_path, tmp_path / "absent"]) == {12, 345}


def test_the_resource_limits_are_what_a_program_finds() -> None:
    script = "ulimit -n; ulimit -f; ulimit -c"
    answer = subprocess.run(
        [*LIMITS.prlimit(), "bash", "-c", script], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["4096", str(10 * 1024), "0"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make control groups")
def test_this_hosts_groups_can_be_made_and_removed() -> None:
    # Other runs of this test may make theirs on this host.
    groups = limits.make(f"test-of-limits-{uuid.uuid4()}", LIMITS)
    assert all(folder.is_dir() for folder in groups.folders)
    limits.remove(groups.folders)
    assert not any(folder.exists() for folder in groups.folders)


def test_limits_stay_within_what_the_platform_has_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (100, 1000))
    assert {"--nofile=1000", "--fsize=1000", "--nproc=50", "--core=0"} < set(LIMITS.prlimit())
