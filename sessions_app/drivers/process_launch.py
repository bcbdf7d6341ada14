"""Makes the folders and files of one instance and starts its keeper."""

from __future__ import annotations

import io
import os
import select
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openagent.lib import env
from sessions_app.drivers import (
    base,
    files,
    limits,
    process_keeper,
    process_records,
    process_requirements,
    process_runtime,
    process_views,
)
from sessions_app.drivers.base import DriverError, InstanceSpec, OnStage
from sessions_app.drivers.host_uids import HostUids
from sessions_app.drivers.process_options import Options
from sessions_app.drivers.process_records import Record
from sessions_app.drivers.process_views import LINK_RUN, Places, View

_START_SECONDS = 30.0


@dataclass(frozen=True)
class Launch:
    """One instance that is about to be made. The caller holds its volume's lock: the descriptor `lock`."""

    options: Options
    spec: InstanceSpec
    uids: HostUids | None
    record: Record
    lock: int
    # Copies of what runs inside with which views have been seen to work.
    proven: set[Path]
    on_stage: OnStage

    def run(self) -> None:
        """Start it. DriverError when it does not start; then nothing of it is left."""
        try:
            self._make()
            self._start_keeper()
        except BaseException:
            self._clean_up()
            raise

    def _make(self) -> None:
        """1. What runs inside. 2. Folders with their owners. 3. Configuration and plan, the plan last."""
        places = self._places()
        self.on_stage("image")
        self._make_disk()
        self._make_folder()
        self.on_stage("volume")
        sidecar = process_views.sidecar(places, self.uids, env.inherited())
        box = process_views.box(places, self.uids, self.options.limits, env.inherited())
        files.write_json(self.record.folder / "config.json", self._config(), mode=0o400, owner=self._sidecar)
        if places.runtime not in self.proven:
            process_requirements.check_views(sidecar, box, process_views.sidecar_environment(env.inherited()))
            self.proven.add(places.runtime)
        files.write_json(self.record.folder / "plan.json", self._plan(places, sidecar, box))

    @property
    def _sidecar(self) -> int | None:
        return self.uids.sidecar if self.uids else None

    def _make_disk(self) -> None:
        volume = self.options.volume(self.spec.volume)
        if self.spec.is_used and not all((volume / name).is_dir() for name in ("home", "workspace")):
            raise base.volume_gone(str(volume))
        files.make_folder(volume, mode=0o710, owner=(0, self.uids.box) if self.uids else None)
        for folder in (volume / "home", volume / "workspace"):
            self._make_owned(folder, self.uids.box if self.uids else None)
        self._make_owned(self.options.journal(self.spec.volume), self._sidecar)

    def _make_owned(self, folder: Path, owner: int | None) -> None:
        """A folder of this user alone. What an earlier instance left in it belongs to that user already."""
        if not folder.exists():
            files.make_folder(folder, mode=0o700, owner=None if owner is None else (owner, owner))
        elif owner is not None and folder.stat().st_uid != owner:
            raise DriverError(
                f"{folder} belongs to user {folder.stat().st_uid}, not to {owner}. If it was restored from a "
                f"backup, restore {self.options.data / 'uids.json'} with it.",
                code="volume_owner",
                permanent=True,
            )

    def _make_folder(self) -> None:
        folder = self.record.folder
        files.make_folder(folder, mode=0o710, owner=(0, self.uids.box) if self.uids else None)
        # The box passes through to the socket, and can neither list nor change what is there.
        owner = (self.uids.sidecar, self.uids.box) if self.uids else None
        files.make_folder(folder / "run", mode=0o710, owner=owner)

    def _places(self) -> Places:
        runtime = process_runtime.stage(self.options.sidecar, self.options.runtime)
        link = self.spec.link if isinstance(self.spec.link, Path) else None
        if link is not None and not link.parent.is_dir():
            raise DriverError(f"There is no folder {link.parent}.", code="link_missing", permanent=False)
        return Places(
            runtime=runtime,
            agents=self.options.agents,
            volume=self.options.volume(self.spec.volume),
            journal=self.options.journal(self.spec.volume),
            instance=self.record.folder,
            link=link,
            secret=(self.options.data, self.options.sidecar.parent),
        )

    def _config(self) -> dict[str, Any]:
        """What the sidecar is told; the only file with its token."""
        link = self.spec.link
        where = {"unix": str(LINK_RUN / link.name)} if isinstance(link, Path) else {"url": link}
        return {
            "instance": self.spec.instance_id,
            "token": self.spec.token,
            "link": where,
            "journal": str(process_views.JOURNAL),
            "box_socket": str(process_views.BOX_SOCKET),
            "agent": self.spec.agent,
            "driver": "process",
            "limits": {"silence_seconds": self.spec.silence_seconds},
        }

    def _plan(self, places: Places, sidecar: View, box: View) -> dict[str, Any]:
        """What the keeper does, and what removal has to know."""
        groups = limits.make(self.spec.instance_id, self.options.limits)
        own = limits.make(f"{self.spec.instance_id}.sidecar", self.options.sidecar_limits)
        bound = [] if own.memory else self.options.sidecar_limits.prlimit_memory()
        lock = self.options.supervisor_lock
        return {
            "volume": self.spec.volume,
            "boot": process_records.boot(),
            "runtime": str(places.runtime),
            "limits": groups.describe(self.options.limits),
            "cgroups": [str(folder) for folder in (*groups.folders, *own.folders)],
            "grace_seconds": self.options.grace_seconds,
            "lock": str(lock) if lock is not None and lock.exists() else None,
            "sidecar": {
                "view": sidecar.plan(*bound, *sidecar.program),
                "env": process_views.sidecar_environment(env.inherited()),
                **_groups(own),
            },
            "box": {
                "view": box.plan(),
                "env": process_views.box_environment(env.inherited(), self.spec.registries),
                **_groups(groups),
            },
        }

    def _start_keeper(self) -> None:
        """The keeper belongs to nobody once it runs: it outlives us, and whoever started us."""
        folder = self.record.folder
        hear, tell = os.pipe()
        with os.fdopen(hear, "rb", buffering=0) as answer, (folder / "keeper.log").open("ab") as output:
            try:
                subprocess.run(
                    [
                        *(sys.executable, "-I", "-S", process_keeper.__file__),
                        *(str(folder), str(tell), str(self.lock)),
                    ],
                    env={"PATH": os.defpath},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(tell, self.lock),
                    start_new_session=True,
                    timeout=_START_SECONDS,
                    check=True,
                )
            except (subprocess.SubprocessError, OSError) as error:
                raise self._not_started(str(error)) from error
            finally:
                os.close(tell)
            if (said := _line(answer, _START_SECONDS)) != "ready":
                raise self._not_started(said or "its keeper ended")

    def _not_started(self, problem: str) -> DriverError:
        said = [self.record.tail(name, 1) for name in ("keeper.log", "box.log", "log")]
        last = " ".join(line for lines in said for line in lines)
        return DriverError(
            f"The instance did not start: {problem}. {last}".strip()[:600],
            code="start_failed",
            permanent=False,
        )

    def _clean_up(self) -> None:
        for process in self.record.processes():
            process.kill()
        limits.remove([Path(folder) for folder in self.record.plan().get("cgroups", [])])
        shutil.rmtree(self.record.folder, ignore_errors=True)


def _groups(groups: limits.ControlGroups) -> dict[str, Any]:
    folders = [str(folder) for folder in groups.folders]
    return {"cgroups": folders, "out_of_memory": str(groups.out_of_memory or "")}


def _line(answer: io.FileIO, seconds: float) -> str:
    """The first line that somebody writes, or what there is when the time is over or they hang up."""
    deadline = time.monotonic() + seconds
    text = b""
    while b"\n" not in text:
        if not select.select([answer], [], [], max(0.0, deadline - time.monotonic()))[0]:
            break
        part = answer.read(4096)
        if not part:
            break
        text += part
    return text.partition(b"\n")[0].decode(errors="replace")
