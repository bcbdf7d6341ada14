"""The docker driver: an instance is two hardened containers of an engine on this host.

What it keeps there, all of it labelled with this installation and named after it:

    openagent-<installation>-<instance>-{sidecar,box}              the containers; they never start twice
    openagent-<installation>-<instance>-run                        memory with the socket between them
    openagent-<installation>-<volume>-{home,workspace,journal}     what outlives an instance
    openagent-<installation>-<volume>-measuring                    for seconds, what counts such a disk
    openagent-<installation>                                       the network that sidecars get out by

and in the data directory: installation.json, locks/, and disks/ with volumes/ where disks have a bound.
"""

from __future__ import annotations

import contextlib
import functools
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from typing import Any

import docker.errors

from openagent.lib import log
from openagent.lib.engine import PREFIX
from sessions_app.drivers import (
    base,
    docker_disks,
    docker_options,
    docker_words,
    files,
)
from sessions_app.drivers.base import DriverError, InstanceSpec, InstanceState, OnStage, Ref
from sessions_app.drivers.docker_engine import Engine, explained, label
from sessions_app.drivers.docker_launch import Launch
from sessions_app.drivers.docker_measuring import Measuring
from sessions_app.drivers.docker_options import Options
from sessions_app.drivers.docker_spec import Names

_log = log.get(__name__)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_ROLES = ("sidecar", "box")
_LOCK_SECONDS, _MEASURING_LOCK_SECONDS = 60.0, 5.0
_GONE_SECONDS, _GONE_POLL_SECONDS = 20.0, 0.05


class DockerDriver(base.Driver):
    """Any number of these may work on one data directory at once, in any processes of the engine's host.

    The awkward moments:

    * `create` again: the same instance, alive or ended. Its sidecar starts last, so one whose sidecar never
      started is a leftover of a creator that was killed: it is removed, and made anew.
    * `inspect` when one half has ended: not alive, and the other half is ended too.
    * A restart of the engine or of its host: not alive, with no exit code; the disk is there.
    * `remove` in the middle of a `create`: waits for it, for both hold the volume's lock.
    """

    name = "docker"

    def __init__(self, options: Options | None = None) -> None:
        self._options = options or docker_options.from_settings()
        self._engine = Engine(self._options.engine)

    def create(self, spec: InstanceSpec, on_stage: OnStage = lambda _: None) -> Ref:
        names = self._names(spec.instance_id, spec.volume)
        with self._alone(spec.volume):
            if not self._was_made(names):
                self._remove_containers(names)
                self._refuse_a_second(names)
                Launch(self._engine, self._options, self._disks, names, spec, on_stage).run()
        return {"instance_id": spec.instance_id, "volume": spec.volume}

    def inspect(self, ref: Ref) -> InstanceState:
        names = self._names(str(ref.get("instance_id", "")), "")
        with self._explained():
            halves = self._halves(names)
            state = docker_words.state(halves["sidecar"], halves["box"])
            if not state.alive and any(docker_words.was_started(half) for half in halves.values() if half):
                self._end_rest(names, halves)
            return state

    def remove(self, ref: Ref) -> None:
        names = self._names(str(ref.get("instance_id", "")), "")
        with self._explained():
            volume = self._volume_of(names) or str(ref.get("volume", ""))
        if not volume:
            return
        names = self._names(names.instance_id, volume)
        with self._alone(volume):
            halves = self._halves(names)
            before = docker_words.state(halves["sidecar"], halves["box"])
            self._let_flush(names)
            self._remove_containers(names)
            if not self._containers(volume=volume, running=True):
                self._disks.release(volume)
            _log.info("instance removed", instance_id=names.instance_id, before=before.detail)

    def list(self) -> list[Ref]:
        with self._explained():
            found: dict[str, Ref] = {}
            for labels in self._containers():
                instance = labels[f"{PREFIX}instance"]
                found[instance] = {"instance_id": instance, "volume": labels[f"{PREFIX}volume"]}
            return [found[instance] for instance in sorted(found)]

    def logs(self, ref: Ref, lines: int) -> str:
        names = self._names(str(ref.get("instance_id", "")), "")
        said: list[str] = []
        with self._explained():
            for role in ("box", "sidecar"):
                with contextlib.suppress(docker.errors.NotFound):
                    text = self._engine.api.logs(names.container(role), tail=lines).decode("utf-8", "replace")
                    said += [f"{role}: {files.printable(line)}" for line in text.splitlines()]
        return "\n".join(said)

    def volume_bytes(self, volume: str) -> int | None:
        _check(volume)
        with self._explained():
            taken = self._disks.taken(volume)
            if taken is not None or not self._disks.exists(volume):
                return taken
        measuring = Measuring(self._engine, self._installation, volume)
        # Only until the engine knows that somebody uses it: a removal in between would leave an empty disk.
        with self._alone(volume, seconds=_MEASURING_LOCK_SECONDS):
            if not self._disks.exists(volume):
                return None
            measuring.begin()
        with self._explained():
            return measuring.result()

    def volume_limit(self, volume: str) -> int | None:
        _check(volume)
        with self._explained():
            return self._disks.limit(volume)

    def remove_volume(self, volume: str) -> None:
        _check(volume)
        with self._alone(volume):
            if self._containers(volume=volume):
                raise _busy(volume)
            Measuring(self._engine, self._installation, volume).end()
            self._disks.remove(volume)
        (self._options.locks / f"{volume}.lock").unlink(missing_ok=True)

    def isolation(self) -> dict[str, str]:
        with self._explained():
            info = self._engine.info
            bound = f"{self._options.engine.disk_mb} MB each" if self._disks.is_bounded else "not enforced"
            return {
                "engine": f"Docker {info.get('ServerVersion', '')}",
                "runtime of boxes": self._options.engine.runtime,
                "root in boxes": "yes" if self._options.engine.is_root else "no",
                "filters of the engine": ", ".join(
                    option.partition("=")[2].partition(",")[0] for option in info.get("SecurityOptions", [])
                ),
                "size of disks": bound,
                **{f"image of the {role}": self._image_version(role) for role in _ROLES},
            }

    def close(self) -> None:
        """Hang up; the next call calls again."""
        self._engine.close()

    @functools.cached_property
    def _installation(self) -> str:
        """Made once per data directory, and never changed: everything on the engine is named after it."""
        path = self._options.data / "installation.json"
        files.make_folder(self._options.locks, mode=0o700)
        with files.locked(self._options.locks / ".installation", seconds=_LOCK_SECONDS):
            content = files.read_json(path)
            if content is None:
                content = {"id": secrets.token_hex(4)}
                files.write_json(path, content)
        return str(content["id"])

    @functools.cached_property
    def _disks(self) -> docker_disks.Disks:
        options = self._options
        return docker_disks.Disks(
            self._engine, data=options.data, installation=self._installation, limit_mb=options.engine.disk_mb
        )

    def _names(self, instance_id: str, volume: str) -> Names:
        _check(instance_id)
        if volume:
            _check(volume)
        return Names(installation=self._installation, instance_id=instance_id, volume=volume)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """What the engine refuses is the engine's, what a file refuses is the data directory's."""
        with files.explained(self._options.data), explained(self._options.engine):
            yield

    @contextlib.contextmanager
    def _alone(self, volume: str, *, seconds: float = _LOCK_SECONDS) -> Iterator[None]:
        """Nobody else makes or removes anything of this volume meanwhile; failures are explained."""
        _check(volume)
        with self._explained():
            files.make_folder(self._options.locks, mode=0o700)
            with files.locked(self._options.locks / f"{volume}.lock", seconds=seconds):
                yield

    def _container(self, names: Names, role: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._engine.api.inspect_container(names.container(role))
        except docker.errors.NotFound:
            return None
        return found

    def _halves(self, names: Names) -> dict[str, dict[str, Any] | None]:
        """The box first: a sidecar's end is the box's too, and must not look as if that had ended first."""
        return {role: self._container(names, role) for role in reversed(_ROLES)}

    def _containers(self, *, volume: str = "", running: bool = False) -> Sequence[dict[str, str]]:
        """The labels of our containers, of one volume if it is named."""
        wanted = [f"{PREFIX}installation={self._installation}", f"{PREFIX}instance"]
        if volume:
            wanted.append(f"{PREFIX}volume={volume}")
        found = self._engine.api.containers(all=not running, filters={"label": wanted})
        return [container["Labels"] for container in found]

    def _volume_of(self, names: Names) -> str:
        for role in _ROLES:
            if (found := self._container(names, role)) is not None:
                return label(found, "volume")
        return ""

    def _was_made(self, names: Names) -> bool:
        sidecar = self._container(names, "sidecar")
        return sidecar is not None and docker_words.was_started(sidecar)

    def _refuse_a_second(self, names: Names) -> None:
        """Two instances on one disk would spoil it, and the journal: never, whatever the rows say."""
        if self._containers(volume=names.volume, running=True):
            raise _busy(names.volume)

    def _end_rest(self, names: Names, halves: dict[str, dict[str, Any] | None]) -> None:
        for role, half in halves.items():
            if half is not None and docker_words.is_running(half):
                with contextlib.suppress(docker.errors.NotFound):
                    self._engine.api.stop(names.container(role), timeout=self._grace(role))

    def _let_flush(self, names: Names) -> None:
        with contextlib.suppress(docker.errors.NotFound):
            self._engine.api.stop(names.container("sidecar"), timeout=self._grace("sidecar"))

    def _grace(self, role: str) -> int:
        return self._options.grace_seconds if role == "sidecar" else 0

    def _remove_containers(self, names: Names) -> None:
        """Returns when the engine has neither of them any more, nor their socket."""
        deadline = time.monotonic() + _GONE_SECONDS
        for role in _ROLES:
            while not self._is_removed(names.container(role)):
                if time.monotonic() > deadline:
                    raise DriverError(
                        f"The engine does not remove {names.container(role)}.",
                        code="still_running",
                        permanent=False,
                    )
                time.sleep(_GONE_POLL_SECONDS)
        with contextlib.suppress(docker.errors.NotFound):
            self._engine.api.remove_volume(names.sockets)

    def _is_removed(self, container: str) -> bool:
        try:
            self._engine.api.remove_container(container, force=True)
        except docker.errors.NotFound:
            return True
        except docker.errors.APIError as error:
            if error.response is None or error.response.status_code != 409:
                raise
        # A conflict is somebody else's removal of it; only its absence is success.
        return False

    def _image_version(self, role: str) -> str:
        try:
            image = self._engine.image(role)
        except DriverError as error:
            return error.message
        labels = image["Config"]["Labels"]
        return f"{labels.get('org.opencontainers.image.version', '')} ({image['Id'].partition(':')[2][:12]})"


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise DriverError("This is no name of an instance or of a volume.", code="wrong_name", permanent=True)


def _busy(volume: str) -> DriverError:
    return DriverError(
        f"An earlier instance still uses the volume {volume}.", code="volume_busy", permanent=False
    )
