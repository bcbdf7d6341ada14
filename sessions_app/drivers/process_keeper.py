"""Keeps one instance of the process driver: a small detached program that needs nothing but this file.

Started as `python -I -S process_keeper.py FOLDER READY LOCK`, it

1. leaves whoever started it, and writes who it is (keeper.json);
2. starts the sidecar and the box as plan.json says, with their output in log and box.log;
3. says so on the descriptor READY, and closes LOCK, which its creator holds as well until then;
4. waits until one half ends, it is told to stop (SIGTERM), or the platform is gone (its lock is freed);
5. lets the sidecar flush for a while, ends both halves with all their processes, and writes exit.json.

When it is killed itself, the kernel kills both halves. It holds no secret and opens no file of the box.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import resource
import select
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

LOG_BYTES = 2**20
START_SECONDS, KILL_SECONDS, TICK_SECONDS = 15.0, 10.0, 0.05


def started_at(pid: int) -> int:
    """The kernel's start time of a process, which no later one with its number has; 0 when it is gone."""
    fields = stat_of(pid) or ["X"]
    return 0 if fields[0] in "ZX" else int(fields[19])


def stat_of(pid: int | str) -> list[str]:
    """State, parent and so on of a process; nothing when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def write_json(path: str, content: dict[str, Any]) -> None:
    """Complete or not at all, also when the disk is full."""
    with open(f"{path}.new", "w", buffering=1) as file:
        print(json.dumps(content), file=file)
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)


def open_view(view: dict[str, Any], info: int) -> tuple[list[str], list[int]]:
    """The command that makes a view, and the descriptors it needs; `info` hears who the first inside is.

    The arguments go by descriptor: a box can see the command, and its agent would read pages of it.
    """
    files = {option: os.open(path, os.O_RDONLY) for option, path in view["files"].items()}
    arguments = os.memfd_create("arguments")
    words = [*view["arguments"], "--info-fd", info, *(word for item in files.items() for word in item)]
    os.pwrite(arguments, "".join(f"{word}\0" for word in words).encode(), 0)
    command = [*view["outside"], "--args", str(arguments), "--", *view["inside"]]
    return command, [info, arguments, *files.values()]


class Log:
    """Takes the output of one half. The sidecar's is kept to the last megabyte or two.

    Nothing but a full pipe makes a box stop writing, so of a box only the first megabyte is read.
    """

    def __init__(self, path: str, *, rotate: bool) -> None:
        self._path = path
        self._rotate = rotate
        self._open()

    def write(self, data: bytes) -> bool:
        """Whether more can be written."""
        with contextlib.suppress(OSError):  # A full disk must not end an instance.
            if os.fstat(self._file).st_size + len(data) > LOG_BYTES:
                if not self._rotate:
                    return False
                os.close(self._file)
                os.replace(self._path, f"{self._path}.1")
                self._open()
            os.write(self._file, data)
        return True

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


class Half:
    """The sidecar or the box: bubblewrap's process here, and `init`, the first process inside."""

    def __init__(self, plan: dict[str, Any], log: Log) -> None:
        self.init = 0
        self.code: int | None = None
        self._inside: int | None = None
        self._told = b""
        self._log = log
        self._cgroups: list[str] = plan["cgroups"]
        self._killed: str = plan["out_of_memory"]
        self.information, tell = os.pipe()
        command, descriptors = open_view(plan["view"], tell)
        self.process = subprocess.Popen(
            command,
            env=plan["env"],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=descriptors,
            preexec_fn=self._enter,
        )
        for descriptor in descriptors:
            os.close(descriptor)
        assert self.process.stdout is not None
        self.output = self.process.stdout.fileno()
        os.set_blocking(self.output, False)
        self.ended = os.pidfd_open(self.process.pid)

    def hear_init(self) -> bool:
        """Hear from bubblewrap which process is the first inside; False when it has said all."""
        part = os.read(self.information, 4096)
        self._told += part
        if not part:
            with contextlib.suppress(ValueError, KeyError, ProcessLookupError):
                self.init = int(json.loads(self._told)["child-pid"])
                self._inside = os.pidfd_open(self.init)
        return bool(part)

    def is_gone(self) -> bool:
        """Whether nothing of it runs any more: the kernel ends everything inside before the first process."""
        waiting = [] if self._inside is None else [self._inside]
        return self.code is not None and select.select(waiting, [], [], 0)[0] == waiting

    def pump(self) -> bool:
        """Move waiting output to the log; False when there will be no more."""
        try:
            data = os.read(self.output, 65536)
        except BlockingIOError:
            return True
        return bool(data) and self._log.write(data)

    def ask_to_end(self) -> bool:
        """Ask the program inside to end; False while it has no handler for that, and would not notice."""
        program = self._program()
        with contextlib.suppress(OSError, StopIteration):
            with open(f"/proc/{program}/status") as file:
                caught = next(line.split()[1] for line in file if line.startswith("SigCgt:"))
            if int(caught, 16) >> (signal.SIGTERM - 1) & 1:
                os.kill(program, signal.SIGTERM)
                return True
        return False

    def _program(self) -> int:
        """The program is the only child of the first process, which is bubblewrap's own."""
        for entry in os.scandir("/proc"):
            if entry.name.isdecimal() and stat_of(entry.name)[1:2] == [str(self.init)]:
                return int(entry.name)
        return 0

    def signal(self, number: int) -> None:
        """Signal the first process inside, or the one outside in case that there is none inside (yet)."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.ended if self._inside is None else self._inside, number)

    def out_of_memory(self) -> int:
        """How many of its processes the kernel killed for want of memory."""
        with contextlib.suppress(OSError, ValueError, IndexError), open(self._killed) as file:
            return sum(int(line.split()[1]) for line in file if line.split()[0] == "oom_kill")
        return 0

    def _enter(self) -> None:
        # Runs between fork and exec, so that not even the first instruction is outside of the limits.
        os.umask(0o022)
        for folder in self._cgroups:
            with open(f"{folder}/cgroup.procs", "w") as file:
                file.write("0")


class Keeper:
    """One instance, from its start to its end."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        with open(f"{folder}/plan.json") as file:
            self._plan: dict[str, Any] = json.load(file)
        self._halves: dict[str, Half] = {}
        self._cause = ""
        self._selector = selectors.DefaultSelector()
        self._wake_reader, self._wake = os.pipe()
        self._watch(self._wake_reader, self._hear)

    def start(self) -> None:
        """Start both halves; OSError or RuntimeError when they cannot be."""
        self._record()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: os.write(self._wake, b"s"))
        for name, log in (("sidecar", "log"), ("box", "box.log")):
            half = Half(self._plan[name], Log(f"{self._folder}/{log}", rotate=name == "sidecar"))
            self._halves[name] = half
            self._watch(half.ended, functools.partial(self._end, name))
            self._watch(half.output, half.pump)
            self._watch(half.information, half.hear_init)
        self._turn(lambda: bool(self._cause) or self._is_known(), time.monotonic() + START_SECONDS)
        if not self._is_known():
            raise RuntimeError("the sidecar or the box could not be started")
        self._record()
        if self._plan["lock"]:
            threading.Thread(target=self._wait_for_lock, daemon=True).start()

    def keep(self) -> None:
        """Return when the instance has to end."""
        self._turn(lambda: bool(self._cause))

    def stop(self) -> None:
        """End both halves, the sidecar with time to flush, and write down how it went."""
        if sidecar := self._halves.get("sidecar"):
            self._let_flush(sidecar)
        for half in self._halves.values():
            half.signal(signal.SIGKILL)
        ends = time.monotonic() + KILL_SECONDS
        self._turn(lambda: all(half.is_gone() for half in self._halves.values()), ends)
        codes = {name: half.code for name, half in self._halves.items()}
        killed = {name: half.out_of_memory() for name, half in self._halves.items()}
        outcome = {"cause": self._cause or "start", **codes, "out_of_memory": killed}
        for folder in self._plan["cgroups"]:
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        write_json(f"{self._folder}/exit.json", outcome)

    def _is_known(self) -> bool:
        return [bool(half.init) for half in self._halves.values()] == [True, True]

    def _let_flush(self, sidecar: Half) -> None:
        ends = time.monotonic() + self._plan["grace_seconds"]
        self._turn(lambda: sidecar.code is not None or sidecar.ask_to_end(), ends)
        self._turn(lambda: sidecar.code is not None, ends)

    def _record(self) -> None:
        """Who we are, and who is the first process of each half once that is known."""
        pids = {"keeper": os.getpid(), **{name: half.init for name, half in self._halves.items()}}
        processes = {name: {"pid": pid, "started": started_at(pid)} for name, pid in pids.items()}
        write_json(f"{self._folder}/keeper.json", processes)

    def _watch(self, descriptor: int, action: Callable[[], object]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, action)

    def _turn(self, until: Callable[[], bool], deadline: float | None = None) -> None:
        """Do what there is to do until something is so, or the time is over."""
        while not until() and (deadline is None or time.monotonic() < deadline):
            for key, _ in self._selector.select(None if deadline is None else TICK_SECONDS):
                if not key.data():
                    self._selector.unregister(key.fd)

    def _end(self, name: str) -> None:
        self._halves[name].code = self._halves[name].process.wait()
        self._cause = self._cause or name

    def _hear(self) -> None:
        self._cause = self._cause or {b"s": "stop", b"p": "platform"}[os.read(self._wake_reader, 1)]

    def _wait_for_lock(self) -> None:
        """The platform holds its lock for as long as it runs; we take it for a moment when it ends."""
        with contextlib.suppress(OSError), open(self._plan["lock"]) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
        os.write(self._wake, b"p")


def main(folder: str, ready: int, lock: int) -> None:
    if os.fork():
        return  # The child belongs to nobody, so whoever started it may end.
    os.umask(0o077)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    keeper, problem = Keeper(folder), ""
    try:
        keeper.start()
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        problem = str(error)
        keeper.stop()
    with contextlib.suppress(OSError):  # Its creator may have gone.
        os.write(ready, f"{problem or 'ready'}\n".encode())
    os.close(ready)
    os.close(lock)
    if not problem:
        keeper.keep()
        keeper.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
