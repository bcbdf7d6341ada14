"""The files of one instance of the process driver, and what they tell about it.

`plan.json` is written first and says how it was made; `keeper.json` tells which processes it is; `exit.json`
how it ended. Processes are known by their number and start time, because numbers are used again.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessions_app.drivers import files, process_keeper
from sessions_app.drivers.base import InstanceState

TAIL_BYTES = 256 * 1024

_BOX_LOST = 6
SIDECAR_EXITS: dict[int | None, str] = {
    0: "as it was asked to",
    1: "a bug, see its log",
    2: "its configuration cannot be used",
    3: "its journal cannot be used",
    4: "the agent did not start",
    5: "the agent ended",
    _BOX_LOST: "the box was lost",
    7: "the platform refused it",
    8: "the platform lost what it had acknowledged",
}
"""What the exit codes of `sidecar.ending` mean to a person."""


@dataclass(frozen=True)
class Process:
    """A process of this host, told from all others that have had its number."""

    pid: int
    started: int

    def is_alive(self) -> bool:
        return self.pid > 0 and self.started > 0 and process_keeper.started_at(self.pid) == self.started

    def wait(self, seconds: float) -> bool:
        """Whether it has ended, after waiting for that for a while."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:
            return True
        try:
            return not self.is_alive() or bool(select.select([descriptor], [], [], seconds)[0])
        finally:
            os.close(descriptor)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Signal it; one that is gone is left alone."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:
            return
        try:
            # Looked at while we hold it, so that it cannot become another one in between.
            if self.is_alive():
                signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return
        finally:
            os.close(descriptor)


def boot() -> str:
    """Which run of the machine this is."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def process(pid: int) -> Process:
    """The process that has this number now."""
    return Process(pid, process_keeper.started_at(pid))


def processes_of(uids: Set[int], folder: Path) -> set[int]:
    """The numbers of all processes of these users, and of the keeper of an instance's folder."""
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                command = Path(entry.path, "cmdline").read_bytes().split(b"\0")
                is_keeper = os.fsencode(process_keeper.__file__) in command and os.fsencode(folder) in command
                if is_keeper or _owner(entry.path) in uids:
                    found.add(int(entry.name))
    return found


def _owner(process: str) -> int:
    """Its real user; the owner of its files is root while it keeps its memory private."""
    with open(f"{process}/status") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("Uid:")), 0)


@dataclass(frozen=True)
class Record:
    """One instance's folder."""

    folder: Path

    @property
    def instance_id(self) -> str:
        return self.folder.name

    @property
    def volume(self) -> str | None:
        """The disk it was made with; None when it was never started."""
        volume = self.plan().get("volume")
        return volume if isinstance(volume, str) else None

    def plan(self) -> dict[str, Any]:
        return files.read_json(self.folder / "plan.json") or {}

    def was_started(self) -> bool:
        return (self.folder / "keeper.json").exists() or (self.folder / "exit.json").exists()

    def keeper(self) -> Process:
        return self._processes().get("keeper", Process(0, 0))

    def processes(self) -> list[Process]:
        """The keeper and the first processes of both halves, whether or not they still run."""
        return list(self._processes().values())

    def is_alive(self) -> bool:
        """Whether anything of it that we know of still runs."""
        return any(process.is_alive() for process in self.processes())

    def state(self) -> InstanceState:
        """What can be said of it now."""
        if state := self._ended():
            return state
        if self.keeper().is_alive():
            return InstanceState(
                alive=True, detail=f"Runs; limits of the box: {self.plan().get('limits', '')}."
            )
        # A keeper that ended after the first look has left its word before it did.
        if state := self._ended():
            return state
        if self.was_started():
            return InstanceState(
                alive=False, detail="It was killed, or the machine was restarted: its keeper left no word."
            )
        return InstanceState(alive=False, detail="It was not started.")

    def tail(self, name: str, lines: int) -> list[str]:
        """The last lines of one of its logs, with control characters made visible."""
        try:
            with (self.folder / name).open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
                text = file.read(TAIL_BYTES).decode("utf-8", "backslashreplace")
        except FileNotFoundError:
            return []
        shown = text.split("\n")[-lines - 1 :]
        return [files.printable(line) for line in shown if line][-lines:]

    def _ended(self) -> InstanceState | None:
        """How it ended, once its keeper has written that down."""
        ended = files.read_json(self.folder / "exit.json")
        if ended is None:
            return None
        return InstanceState(alive=False, exit_code=_code(ended.get("sidecar")), detail=_words(ended))

    def _processes(self) -> dict[str, Process]:
        content = files.read_json(self.folder / "keeper.json") or {}
        if self.plan().get("boot", boot()) != boot():
            return {}  # Of the machine's run before this one; numbers and times began anew.
        try:
            return {
                name: Process(int(entry["pid"]), int(entry["started"])) for name, entry in content.items()
            }
        except (TypeError, KeyError, ValueError):
            return {}


def _code(code: object) -> int | None:
    return code if isinstance(code, int) else None


def _words(ended: dict[str, Any]) -> str:
    """How it ended, in words."""
    cause = str(ended.get("cause"))
    sidecar = _code(ended.get("sidecar"))
    if cause == "box" and ended.get("box") == 0 and ended.get("sidecar") not in {0, _BOX_LOST}:
        cause = "sidecar"  # A box program ends in peace because its sidecar hung up.
    causes = {
        "start": "It could not be started",
        "stop": "It was stopped",
        "platform": "The platform ended",
        "sidecar": f"The sidecar ended ({SIDECAR_EXITS.get(sidecar, _how(sidecar))})",
        "box": f"The box ended ({_how(ended.get('box'))})",
    }
    text = causes.get(cause, "It ended")
    killed = ended.get("out_of_memory")
    for half, times in killed.items() if isinstance(killed, dict) else ():
        if times:
            text += f"; the {half} ran out of memory" + (f" {times} times" if times != 1 else "")
    return text + "."


def _how(code: object) -> str:
    if not isinstance(code, int):
        return "nobody knows how"
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if number in set(signal.Signals):
        return f"killed by {signal.Signals(number).name}"
    return f"exit code {code}"
