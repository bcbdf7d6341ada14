"""Starts the whole product for a test, the only way there is: `manage.py up --port 0 --data-dir D`."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from openagent.lib.data_dir import CHECKOUT, DataDir
from tests import head_start

_READY = re.compile(r"OpenAgent is ready at (http://\S+)")
_START_SECONDS = 180.0
# Copying OpenCode takes longer than starting everything else, so the products of all tests share one copy.
AGENTS = Path(tempfile.gettempdir()) / f"openagent-tests-agents-{os.getuid()}"


class Product:
    """A running product; `output` is what it has printed so far."""

    program: Sequence[str] = ("manage.py", "up")
    maker = "worker"
    """The part that makes its instances."""
    surroundings = "127.0.0.1"
    """The address at which its sidecars reach what a test has on this host."""

    def __init__(self, data: Path, *options: str, **environment: str) -> None:
        self.data = DataDir(data)
        self._lines: list[str] = []
        self._environment = _environment(environment)
        self._process = subprocess.Popen(
            [sys.executable, *self.program, "--port", "0", "--data-dir", str(data), *options],
            cwd=CHECKOUT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def database_url(self) -> str:
        """Where its rows are; empty when they are in its data directory."""
        return self._environment.get("DATABASE_URL", "")

    @property
    def output(self) -> str:
        return "".join(self._lines)

    @property
    def url(self) -> str:
        """Where it is ready; waits for it."""
        deadline = time.monotonic() + _START_SECONDS
        while not (found := _READY.search(self.output)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"It did not get ready:\n{self.output}{self.logs()}")
            time.sleep(0.05)
        return found.group(1)

    def wait(self, seconds: float) -> int:
        """Its exit code, when it ends within that time; what it printed is complete then."""
        code = self._process.wait(seconds)
        self._reader.join(20)
        return code

    def stop(self, number: int = signal.SIGTERM, seconds: float = 60) -> int:
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self.wait(seconds)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def end(self, seconds: float = 60) -> None:
        """Ends it at once, however it is, and waits for its parts: for one that has made no instances."""
        self.kill()
        deadline = time.monotonic() + seconds
        while left := self.processes():
            assert time.monotonic() < deadline, f"these are left: {left}"
            time.sleep(0.1)

    def clean_up(self) -> None:
        """Removes what is left of it outside of its data directory, which is nothing."""

    def part(self, name: str) -> int | None:
        """The process id of one of its parts, if it runs."""
        for pid in self.processes():
            words = {Path(word).name for word in _read_words(pid, "cmdline")}
            if words & _PARTS[name] and "tethered.py" not in words:
                return pid
        return None

    def processes(self) -> set[int]:
        """Every living process that belongs to this data directory, whoever its parent is."""
        mark = f"OPENAGENT_DATA_DIR={self.data.root}"
        numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
        return {pid for pid in numbers if mark in _read_words(pid, "environ")}

    def manage(self, *arguments: str) -> str:
        """Runs a command of the product on its data; what it printed."""
        done = self.python("manage.py", *arguments)
        output, errors = done.communicate()
        assert done.returncode == 0, output + errors
        return output

    def python(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts a program of ours on the product's data, with pipes to and from it."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=CHECKOUT,
            env={**self._environment, "OPENAGENT_DATA_DIR": str(self.data.root)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def logs(self, lines: int = 30) -> str:
        """The ends of all its logs, for the message of a failure."""
        ends = []
        for log in sorted(self.data.logs.glob("*.log")) if self.data.logs.exists() else ():
            ends.append(
                f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
            )
        return "\n".join(ends)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout:
            self._lines.extend(self._process.stdout)


_PARTS = {
    "supervisor": {"supervised.py"},
    "web": {"openagent.web_server"},
    "worker": {"default", "default,instances"},
    "provisioner": {"instances"},
    "beat": {"beat"},
    "redis": {"redis-server"},
}


@contextmanager
def running(*options: str, make: type[Product] = Product, **environment: str) -> Iterator[Product]:
    """A product on a data directory of its own, with a head start; stopped and removed in the end."""
    with data_directory() as data:
        head_start.give(data, database="DATABASE_URL" not in environment)
        product = make(data, *options, **environment)
        try:
            yield product
        finally:
            product.stop()
            product.clean_up()


@contextmanager
def data_directory() -> Iterator[Path]:
    """Empty; short, for the sockets in it, and below no folder that other users cannot enter."""
    data = Path(tempfile.mkdtemp(prefix="oa-"))
    data.chmod(0o711)
    try:
        yield data
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _environment(extra: dict[str, str]) -> dict[str, str]:
    # Not what this host would choose: a test that means containers says so.
    ours = {"OPENAGENT_AGENTS_DIR": str(AGENTS), "OPENAGENT_DRIVER": "process", "OPENAGENT_POOL": "none"}
    # Asking pip, npm and apt costs more than starting the parts.
    ours["OPENAGENT_REGISTRIES_FROM"] = "none"
    return {**head_start.without_settings(), **ours, **extra}


def _read_words(pid: int, name: str) -> list[str]:
    try:
        content = Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return []  # It has just ended, or belongs to somebody else.
    return content.decode(errors="replace").split("\0")
