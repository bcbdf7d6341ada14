"""A real container engine that a test may kill, in a network of its own: nothing of the host's changes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import docker

from tests import needs

_SECONDS = 60.0


class OwnEngine:
    """`kill` leaves its containers to themselves, as a crash does; `start` brings it back."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.socket = home / "docker.sock"
        # The network lives on when the engine dies, as that of a host does.
        self._network = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        # It has one a moment after it begins: an engine that came before would take the host's bridge away.
        deadline = time.monotonic() + _SECONDS
        while os.readlink(f"/proc/{self._network.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            assert time.monotonic() < deadline, "there is no network of its own"
            time.sleep(0.01)
        self._daemon: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Returns when it answers."""
        command = ["nsenter", f"--net=/proc/{self._network.pid}/ns/net", "dockerd", "--bridge", "none"]
        for option, name in (
            *(("--config-file", "daemon.json"), ("--data-root", "data"), ("--exec-root", "exec")),
            ("--pidfile", "pid"),
        ):
            command += [option, str(self.home / name)]
        (self.home / "daemon.json").write_text("{}")
        with (self.home / "log").open("ab") as said:
            self._daemon = subprocess.Popen(
                [*command, "--host", f"unix://{self.socket}"], stdout=said, stderr=said
            )
        deadline = time.monotonic() + _SECONDS
        while not self._answers():
            is_late = time.monotonic() > deadline or self._daemon.poll() is not None
            assert not is_late, self.log()
            time.sleep(0.1)

    def kill(self) -> None:
        """Nobody answers any more; what runs goes on."""
        self._end(signal.SIGKILL)
        # It dies with the engine, a moment later: one that starts in that moment would wait for it in vain.
        pid = self.home / "exec" / "containerd" / "containerd.pid"
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGKILL)
        pid.unlink(missing_ok=True)

    def close(self) -> None:
        self._end(signal.SIGTERM)
        self._network.kill()
        self._network.wait()
        self._clear()

    def _clear(self) -> None:
        """What a test that failed has left: containers with who looks after them, and mounts."""
        named = [pid for pid in _processes() if str(self.home) in _words(pid)]
        for pid in [*(child for child in _processes() if _parent(child) in named), *named]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for point in reversed([point for point in mounts if Path(point).is_relative_to(self.home)]):
            subprocess.run(["umount", "--lazy", point], check=True)

    def log(self) -> str:
        """The end of what it has said."""
        return "\n".join((self.home / "log").read_text().splitlines()[-20:])

    def client(self) -> docker.DockerClient:
        return docker.DockerClient(base_url=f"unix://{self.socket}", version="1.41", timeout=300)

    def _answers(self) -> bool:
        # By hand, for the library leaves a socket open that it cannot connect.
        with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            probe.connect(str(self.socket))
            probe.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
            return b" 200 " in probe.recv(64)
        return False

    def _end(self, number: int) -> None:
        if self._daemon is not None:
            self._daemon.send_signal(number)
            self._daemon.wait(_SECONDS)
            self._daemon = None


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _words(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


@contextmanager
def own_engine(images: list[str]) -> Iterator[OwnEngine]:
    """One with these images of the engine that the tests share, by their names."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("dockerd", "unshare", "nsenter"))):
        needs.missing("docker", "only root can start an engine of its own")
    home = Path(tempfile.mkdtemp(prefix="oa-engine-"))
    engine = OwnEngine(home)
    try:
        shared = docker.DockerClient(base_url=f"unix://{needs.docker()}", timeout=300)
        client = engine.client()
        for name in images:
            client.api.load_image(shared.api.get_image(name))
        shared.close()
        client.close()
        yield engine
    finally:
        engine.close()
        subprocess.run(["rm", "-rf", "--one-file-system", str(home)], check=True)
