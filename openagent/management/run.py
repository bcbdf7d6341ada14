"""One run of the supervisor: starts it, waits for readiness, watches it, stops it and what it left."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from openagent.lib.data_dir import CHECKOUT, DataDir
from openagent.management import supervised, tethered
from openagent.management.preparation import CannotStart

_READY_SECONDS = 180.0
# Of the 15 seconds that a stop may take, half a second for ourselves; the parts' own times are in parts.py.
_INSTANCES_SECONDS = 6.0
# Of these, so that the command, which has to load the platform first, can still say who is late.
_FLUSH_SECONDS = 4.0
_SUPERVISOR_SECONDS = 7.5
_SWEEP_SECONDS = 1.0
_POLL_SECONDS = 0.2
_QUIET_SECONDS = 30.0

# The first descriptor that the supervisor does not close when it starts and that its parts do not inherit.
_LOCK_DESCRIPTOR = 3
_ENDED = re.compile(r"exited: (\w+) \((.*?)(?:; .*)?\)")


class Run:
    """The supervisor and everything that it started, from `start` to `stop`."""

    def __init__(self, data: DataDir, lock: int, environment: dict[str, str], host: str, port: int) -> None:
        self._data = data
        self._lock = lock
        self._environment = environment
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        self._port = port
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._log = data.logs / "supervisor.log"
        self._log_read = 0
        self._told_at: dict[str, float] = {}

    def start(self, configuration: str) -> None:
        file = self._data.run / "supervisor.conf"
        file.write_text(configuration)
        self._data.stopping.unlink(missing_ok=True)
        self._data.worker_ready.unlink(missing_ok=True)
        self._log_read = self._log.stat().st_size if self._log.exists() else 0
        # What outlives its parent becomes our child, so that we can end it at the latest when we end.
        tethered.adopt_orphans()
        self._supervisor = subprocess.Popen(
            [sys.executable, "-P", supervised.__file__, "-c", str(file)],
            env=self._environment,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=(self._data.logs / "supervisord.out").open("ab"),
            stderr=subprocess.STDOUT,
            # Ctrl-C in the terminal is for us alone: the order of the stop is ours.
            start_new_session=True,
            close_fds=False,
            preexec_fn=self._in_supervisor,
        )

    def wait_until_ready(self) -> None:
        """Pages are served and the worker takes work: a session that is started now need not wait for it.

        Both load all of the platform, so on a busy machine either may be the last by half a minute. Where
        Redis is away there is nothing to wait for: the worker takes work when it comes.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            if not self._is_alive():
                raise CannotStart(f"The supervisor ended; see {self._log}.")
            if time.monotonic() > deadline:
                raise CannotStart(f"It is not ready after {_READY_SECONDS:.0f} s; see {self._data.logs}.")
            self._tell_about_ended_parts()
            time.sleep(_POLL_SECONDS)

    def watch(self) -> None:
        """Returns when the supervisor has ended, which it should never do by itself."""
        while self._is_alive():
            self._tell_about_ended_parts()
            self._reap()
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Ends everything, in order; may be called in any state."""
        if self._supervisor is not None and self._is_alive():
            with contextlib.suppress(OSError):
                self._data.stopping.touch()
                self._data.stopped.touch()
            self._stop_instances()
            self._supervisor.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._supervisor.wait(_SUPERVISOR_SECONDS)
            if self._is_alive():
                self._supervisor.kill()
                self._supervisor.wait()
        self._sweep()

    def _in_supervisor(self) -> None:
        # Runs between fork and exec. The supervisor holds the lock too: when we are killed, the data
        # directory stays locked until the parts have ended.
        tethered.end_with_parent()
        os.dup2(self._lock, _LOCK_DESCRIPTOR)
        os.set_inheritable(_LOCK_DESCRIPTOR, True)

    def _is_alive(self) -> bool:
        return self._supervisor is not None and self._supervisor.poll() is None

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=5)
        try:
            connection.request("GET", "/readyz", headers={"Host": "localhost"})
            answer = connection.getresponse()
            if answer.status != 200:
                return False
            return self._data.worker_ready.exists() or json.load(answer)["status"] == "degraded"
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _stop_instances(self) -> None:
        """Lets the instances of this host flush; when it fails or is late, they end with our lock anyway."""
        file = self._data.logs / "stop.log"
        try:
            with file.open("w") as out:
                subprocess.run(
                    [
                        sys.executable,
                        str(CHECKOUT / "manage.py"),
                        "stop_instances",
                        "--timeout",
                        str(_FLUSH_SECONDS),
                    ],
                    env=self._environment,
                    cwd=CHECKOUT,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    timeout=_INSTANCES_SECONDS,
                    check=True,
                )
        except subprocess.TimeoutExpired:
            self._tell_cut_off(f"did not all stop within {_INSTANCES_SECONDS} s")
        except subprocess.CalledProcessError:
            self._tell_cut_off("could not be stopped one by one")

    def _tell_cut_off(self, why: str) -> None:
        log = self._data.logs / "stop.log"
        see = f" (see {log})" if log.stat().st_size else ""
        print(
            f"Sessions {why}{see}: what they had not sent yet is read from their journals later.", flush=True
        )

    def _tell_about_ended_parts(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            size = self._log.stat().st_size
            if size < self._log_read:
                self._log_read = 0  # The log was rotated.
            with self._log.open("rb") as log:
                log.seek(self._log_read)
                # Only whole lines; the rest of a line is read with its end.
                text, _, _ = log.read().rpartition(b"\n")
            self._log_read += len(text) + 1 if text else 0
            for name, why in _ENDED.findall(text.decode(errors="replace")):
                self._tell(name, why)

    def _tell(self, name: str, why: str) -> None:
        # Once in a while for a part that cannot start at all and is tried again and again.
        if time.monotonic() - self._told_at.get(name, -_QUIET_SECONDS) >= _QUIET_SECONDS:
            self._told_at[name] = time.monotonic()
            print(f"{name} ended ({why}) and is started again; see {self._data.logs / name}.log", flush=True)

    def _sweep(self) -> None:
        """Ends what is left of our descendants: TERM, then KILL."""
        deadline = time.monotonic() + _SWEEP_SECONDS
        told: set[int] = set()
        while children := self._children():
            late = time.monotonic() > deadline
            for child in children if late else children - told:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL if late else signal.SIGTERM)
            told |= children
            self._reap()
            time.sleep(0.02)

    def _reap(self) -> None:
        """Collects adopted processes that have ended; the supervisor is left to its own object.

        It asks the kernel for whoever ended, for a walk through all processes at each poll costs more than
        the rest of an idle product.
        """
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if self._supervisor is not None and ended.si_pid == self._supervisor.pid:
                    return
                os.waitpid(ended.si_pid, os.WNOHANG)

    def _children(self) -> set[int]:
        children = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and _parent(entry) == os.getpid():
                children.add(int(entry.name))
        return children - {self._supervisor.pid if self._supervisor else 0}


def _parent(process: Path) -> int | None:
    try:
        # The name, in parentheses, may hold anything; what follows the last one is regular.
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None
