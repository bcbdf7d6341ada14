"""What a box, and its sidecar, may use of their host, and how far this host can enforce it.

Resource limits of processes work everywhere. A bound on memory as a whole, and an equal share of the
processors for every half, need control groups, which only root may make; versions 1 and 2 both do.
"""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one half of an instance. `memory_mb` of a box includes what lies in its /tmp."""

    memory_mb: int = 2048
    processes: int = 1024
    open_files: int = 4096
    file_mb: int = 4096
    tmp_mb: int = 512

    def prlimit(self) -> list[str]:
        """The command that its own command is put behind. In a user namespace the kernel counts anew."""
        wanted = {
            "nproc": (resource.RLIMIT_NPROC, self.processes),
            "nofile": (resource.RLIMIT_NOFILE, self.open_files),
            "fsize": (resource.RLIMIT_FSIZE, self.file_mb * MEGABYTE),
            "core": (resource.RLIMIT_CORE, 0),
        }
        return ["prlimit", *(f"--{name}={_possible(*limit)}" for name, limit in wanted.items()), "--"]

    def prlimit_memory(self) -> list[str]:
        """The same for the memory of a single program: for one that starts no others, without a group."""
        return ["prlimit", f"--data={_possible(resource.RLIMIT_DATA, self.memory_mb * MEGABYTE)}", "--"]


@dataclass(frozen=True, kw_only=True)
class ControlGroups:
    """The control groups of one half: folders to put its first process into."""

    folders: list[Path] = field(default_factory=list)
    memory: bool = False
    processes: bool = False
    # The file in which the kernel counts what it killed for want of memory.
    out_of_memory: Path | None = None

    def describe(self, limits: Limits) -> str:
        """In words, which limits hold."""
        memory = f"memory {limits.memory_mb} MB" if self.memory else "memory not limited"
        count = f"{limits.processes} processes"
        where = "control group" if self.processes else "resource limit"
        return f"{memory}, {count} ({where}), files up to {limits.file_mb} MB, /tmp {limits.tmp_mb} MB"


def make(name: str, limits: Limits, *, mounts: Path = Path("/proc/self/mounts")) -> ControlGroups:
    """Make the groups of one half as far as this host lets us; a host without them gives none."""
    found = _hierarchies(mounts)
    if "memory" in found or "pids" in found:
        return _make_v1(name, limits, found)
    if "cgroup2" in found:
        with contextlib.suppress(OSError):
            return _make_v2(name, limits, found["cgroup2"])
    return ControlGroups()


def _possible(kind: int, wanted: int) -> int:
    """What this process may give away: never more than it may have itself."""
    most = resource.getrlimit(kind)[1]
    return wanted if most == resource.RLIM_INFINITY else min(wanted, most)


def remove(folders: Sequence[Path]) -> None:
    """Remove groups that nothing is in any more; one that is gone is fine."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def members(folders: Sequence[Path]) -> set[int]:
    """The processes that are in the groups now."""
    found: set[int] = set()
    for folder in folders:
        with contextlib.suppress(OSError):
            found.update(map(int, (folder / "cgroup.procs").read_text().split()))
    return found


def _hierarchies(mounts: Path) -> dict[str, Path]:
    """Where each controller of version 1, and version 2 as a whole, is mounted."""
    found: dict[str, Path] = {}
    for line in mounts.read_text().splitlines():
        _, folder, kind, options = line.split()[:4]
        if kind == "cgroup2":
            found.setdefault("cgroup2", Path(folder))
        elif kind == "cgroup":
            for controller in {"memory", "pids", "cpu"} & set(options.split(",")):
                found.setdefault(controller, Path(folder))
    return found


def _make_v1(name: str, limits: Limits, found: dict[str, Path]) -> ControlGroups:
    memory = processes = share = None
    with contextlib.suppress(OSError, KeyError):
        memory = _folder(found["memory"], name)
        (memory / "memory.limit_in_bytes").write_text(str(limits.memory_mb * MEGABYTE))
        with contextlib.suppress(OSError):  # Not every kernel counts swap.
            (memory / "memory.memsw.limit_in_bytes").write_text(str(limits.memory_mb * MEGABYTE))
    with contextlib.suppress(OSError, KeyError):
        processes = _folder(found["pids"], name)
        (processes / "pids.max").write_text(str(limits.processes))
    with contextlib.suppress(OSError, KeyError):
        share = _folder(found["cpu"], name)
    return ControlGroups(
        folders=[folder for folder in (memory, processes, share) if folder],
        memory=memory is not None,
        processes=processes is not None,
        out_of_memory=memory / "memory.oom_control" if memory else None,
    )


def _make_v2(name: str, limits: Limits, mount: Path) -> ControlGroups:
    offered = (mount / "cgroup.controllers").read_text().split()
    wanted = [controller for controller in ("memory", "pids", "cpu") if controller in offered]
    if not wanted:
        return ControlGroups()
    enable = " ".join(f"+{controller}" for controller in wanted)
    (mount / "cgroup.subtree_control").write_text(enable)
    parent = mount / "openagent"
    parent.mkdir(exist_ok=True)
    (parent / "cgroup.subtree_control").write_text(enable)
    folder = _folder(mount, name)
    if "memory" in wanted:
        (folder / "memory.max").write_text(str(limits.memory_mb * MEGABYTE))
        with contextlib.suppress(OSError):
            (folder / "memory.swap.max").write_text("0")
    if "pids" in wanted:
        (folder / "pids.max").write_text(str(limits.processes))
    return ControlGroups(
        folders=[folder],
        memory="memory" in wanted,
        processes="pids" in wanted,
        out_of_memory=folder / "memory.events" if "memory" in wanted else None,
    )


def _folder(mount: Path, name: str) -> Path:
    folder = mount / "openagent" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
