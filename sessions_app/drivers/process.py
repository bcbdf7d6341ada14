"""The process driver: instances as processes of this host in bubblewrap, for Linux without Docker.

What it keeps in the data directory; as root, each box and each sidecar has a user of its own:

    volumes/<volume>/{home,workspace}   the disk of a box, which outlives its instances
    journals/<volume>/                  what its sidecars have not delivered yet
    instances/<id>/                     plan.json keeper.json exit.json config.json run/ log box.log
    runtime/<hash>/                     what runs inside, where every user can read it
    locks/<volume>.lock uids.json       who works on a volume now; which users it has
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from openagent.lib import log
from sessions_app.drivers import (
    base,
    disk_use,
    files,
    limits,
    process_keeper,
    process_options,
    process_records,
    process_requirements,
    process_runtime,
)
from sessions_app.drivers.base import DriverError, InstanceSpec, InstanceState, OnStage, Ref
from sessions_app.drivers.host_uids import UidFile
from sessions_app.drivers.process_launch import Launch
from sessions_app.drivers.process_options import Options
from sessions_app.drivers.process_records import Process, Record

_log = log.get(__name__)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LOCK_SECONDS = 40.0
_SWEEP_SECONDS = 10.0
_SWEEP_POLL_SECONDS = 0.02


class ProcessDriver(base.Driver):
    """Any number of these may work on one data directory at once, in any processes.

    The awkward moments:

    * `create` again: the same instance, alive or ended; an instance lives once. Killed in the middle of it:
      the next `create` finds either nothing, and begins again, or a keeper that goes on.
    * `create` while an older instance of the volume lives: `volume_busy`, which passes.
    * A keeper that was killed, or a restart of the machine: not alive, with no exit code; `remove` tidies up.
    * `remove` in the middle of a `create`: waits for it, for both hold the volume's lock.
    """

    name = "process"

    def __init__(self, options: Options | None = None) -> None:
        self._options = options or process_options.from_settings()
        self._uids = UidFile(self._options.data / "uids.json", self._options.uids)
        self._proven: set[Path] = set()

    def create(self, spec: InstanceSpec, on_stage: OnStage = lambda _: None) -> Ref:
        options = self._options
        record = self._record(spec.instance_id)
        process_requirements.check_programs()
        if spec.agent:
            process_requirements.check_agent(options.agents, spec.agent)
        with files.explained(options.data), self._alone(spec.volume) as lock:
            if not record.was_started():
                self._refuse_a_second(spec)
                process_requirements.check_space(options.data)
                uids = self._uids.of(spec.volume) if os.geteuid() == 0 else None
                Launch(options, spec, uids, record, lock, self._proven, on_stage).run()
        return {"instance_id": spec.instance_id, "volume": spec.volume}

    def inspect(self, ref: Ref) -> InstanceState:
        record = self._record(str(ref.get("instance_id", "")))
        if not record.folder.exists():
            return InstanceState(alive=False, detail="It is not there.")
        return record.state()

    def remove(self, ref: Ref) -> None:
        record = self._record(str(ref.get("instance_id", "")))
        volume = record.volume or str(ref.get("volume", ""))
        if not record.folder.exists():
            return
        if not volume:
            # It has no plan, so nothing of it was ever started.
            shutil.rmtree(record.folder, ignore_errors=True)
            return
        with files.explained(self._options.data), self._alone(volume):
            state = record.state()
            self._end(record, volume)
            shutil.rmtree(record.folder, ignore_errors=True)
            process_runtime.prune(self._options.runtime, self._options.instances)
            _log.info("instance removed", instance_id=record.instance_id, before=state.detail)

    def list(self) -> list[Ref]:
        refs = []
        for record in self._records():
            ref: Ref = {"instance_id": record.instance_id}
            if record.volume:
                ref["volume"] = record.volume
            refs.append(ref)
        return refs

    def logs(self, ref: Ref, lines: int) -> str:
        record = self._record(str(ref.get("instance_id", "")))
        parts = (("keeper", "keeper.log"), ("box", "box.log"), ("sidecar", "log"))
        return "\n".join(f"{who}: {line}" for who, name in parts for line in record.tail(name, lines))

    def isolation(self) -> dict[str, str]:
        return {
            "boxes": "bubblewrap",
            "users of their own": "yes" if os.geteuid() == 0 else "no",
            "size of disks": "not enforced",
        }

    def volume_bytes(self, volume: str) -> int | None:
        if not _NAME.fullmatch(volume):
            raise _wrong_name()
        with files.explained(self._options.data):
            return disk_use.of(self._options.volume(volume))

    def remove_volume(self, volume: str) -> None:
        if not _NAME.fullmatch(volume):
            raise _wrong_name()
        with files.explained(self._options.data), self._alone(volume):
            if any(record.volume == volume for record in self._records()):
                raise _busy(volume)
            for folder in (self._options.volume(volume), self._options.journal(volume)):
                # Not in Python: a hostile disk may be deeper than its recursion.
                subprocess.run(["rm", "-rf", "--one-file-system", "--", str(folder)], check=False)
                if folder.exists():
                    raise DriverError(f"{folder} could not be removed.", code="data_dir", permanent=False)
            self._uids.forget(volume)
            (self._options.locks / f"{volume}.lock").unlink(missing_ok=True)

    def _record(self, instance_id: str) -> Record:
        if not _NAME.fullmatch(instance_id):
            raise _wrong_name()
        return Record(self._options.instances / instance_id)

    def _records(self) -> Iterator[Record]:
        with contextlib.suppress(FileNotFoundError):
            for folder in sorted(self._options.instances.iterdir()):
                if _NAME.fullmatch(folder.name):
                    yield Record(folder)

    @contextlib.contextmanager
    def _alone(self, volume: str) -> Iterator[int]:
        """Nobody else makes or removes anything of this volume meanwhile."""
        if not _NAME.fullmatch(volume):
            raise _wrong_name()
        options = self._options
        for folder, mode in (
            (options.locks, 0o700),
            (options.instances, 0o711),
            (options.runtime, 0o711),
            (options.volume(volume).parent, 0o711),
            (options.journal(volume).parent, 0o711),
        ):
            files.make_folder(folder, mode=mode)
        with files.locked(options.locks / f"{volume}.lock", seconds=_LOCK_SECONDS) as lock:
            yield lock

    def _refuse_a_second(self, spec: InstanceSpec) -> None:
        """Two instances on one disk would spoil it, and the journal: never, whatever the rows say."""
        for record in self._records():
            if record.volume == spec.volume and record.is_alive():
                raise _busy(spec.volume)

    def _end(self, record: Record, volume: str) -> None:
        """Return when nothing of the instance runs any more: it was asked, killed if need be, looked for."""
        keeper = record.keeper()
        keeper.kill(signal.SIGTERM)
        if not keeper.wait(self._options.grace_seconds + process_keeper.KILL_SECONDS + 2):
            keeper.kill(signal.SIGKILL)
        deadline = time.monotonic() + _SWEEP_SECONDS
        while left := self._left(record, volume):
            for process in left:
                process.kill()
            if time.monotonic() > deadline:
                message = f"{len(left)} processes of the instance do not end."
                raise DriverError(message, code="still_running", permanent=False)
            time.sleep(_SWEEP_POLL_SECONDS)
        limits.remove(_groups(record))

    def _left(self, record: Record, volume: str) -> set[Process]:
        """What still runs of an instance: what we know of, what its groups hold, and what its users own."""
        pids = limits.members(_groups(record))
        others = (other for other in self._records() if other.volume == volume and other != record)
        known = self._uids.known(volume)
        # The users are the volume's, and a later instance of it may be alive.
        users = (
            {known.box, known.sidecar} if known and not any(other.is_alive() for other in others) else set()
        )
        pids |= process_records.processes_of(users, record.folder)
        found = {*record.processes(), *(process_records.process(pid) for pid in pids)}
        return {process for process in found if process.is_alive()}


def _groups(record: Record) -> Sequence[Path]:
    return [Path(folder) for folder in record.plan().get("cgroups", [])]


def _wrong_name() -> DriverError:
    return DriverError("This is no name of an instance or of a volume.", code="wrong_name", permanent=True)


def _busy(volume: str) -> DriverError:
    return DriverError(
        f"An earlier instance still uses the volume {volume}.", code="volume_busy", permanent=False
    )
