"""Makes what a run needs before anything starts: the data directory, its secrets, its lock, a free port."""

from __future__ import annotations

import base64
import contextlib
import errno
import fcntl
import os
import secrets
import socket
import stat
import time
from pathlib import Path
from urllib.parse import urlsplit

from openagent.lib.data_dir import SOCKET_PATH_BYTES, DataDir

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
# Instances that watch the lock of a run that has just ended take it for a moment.
_LOCK_PATIENCE_SECONDS = 3.0


class CannotStart(Exception):
    """What is wrong, and what the person at the terminal can do about it."""


def make_directories(data: DataDir) -> None:
    """Other users may pass through to the places that are meant for them, and can list nothing."""
    _check_sockets(data)
    try:
        missing = [folder for folder in data.root.parents if not folder.exists()]
        for folder in (*reversed(missing), data.root, data.run, data.link_socket.parent, data.sessions):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o711)
        for folder in (data.secrets, data.logs, data.static):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
    except OSError as error:
        raise CannotStart(
            f"Cannot use {error.filename} for data: {error.strerror}. Choose another with --data-dir."
        ) from None
    if os.geteuid() == 0:
        _check_passage(data.root)


def _check_sockets(data: DataDir) -> None:
    for path in (data.link_socket, data.redis_socket):
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
            raise CannotStart(
                f"{path} is too long for a socket ({SOCKET_PATH_BYTES} bytes at most). "
                "Choose a shorter data directory with --data-dir."
            )


def _check_passage(root: Path) -> None:
    """As root, sessions run under users of their own, who have to get to their directories."""
    for folder in root.resolve().parents:
        if not folder.stat().st_mode & stat.S_IXOTH:
            raise CannotStart(
                f"Other users cannot enter {folder}, so sessions could not run in {root}. "
                f"Choose another place with --data-dir, or: chmod o+x {folder}"
            )


def make_secrets(data: DataDir) -> None:
    """Made once, at the first start; nothing else ever makes or replaces them."""
    make_secret(data.secret_key, secrets.token_urlsafe(50))
    make_secret(data.key_encryption_key, "k1:" + base64.b64encode(secrets.token_bytes(32)).decode())


def make_secret(file: Path, value: str) -> None:
    """For its owner alone; what is there stays as it is."""
    if file.exists():
        return
    # Complete or absent, also after a power cut in between.
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(value + "\n")
        out.flush()
        os.fsync(out.fileno())
    unfinished.rename(file)


def take_lock(data: DataDir) -> int:
    """Locks the data directory for the life of the returned descriptor."""
    # For us alone, as whom the keepers of instances wait for it: whoever may read it can hold it, too.
    descriptor = os.open(data.supervisor_lock, os.O_RDWR | os.O_CREAT, 0o600)
    os.fchmod(descriptor, 0o600)
    deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                holder = os.pread(descriptor, 20, 0).decode().strip()
                os.close(descriptor)
                raise CannotStart(
                    f"OpenAgent already runs on {data.root} (process {holder or 'unknown'}). "
                    "Stop it first, or choose another data directory with --data-dir."
                ) from None
            time.sleep(0.1)
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            return descriptor


def choose_port(host: str, port: int) -> int:
    """The port itself, or a free one for 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(_why_not(host, port, error)) from None
        chosen: int = probe.getsockname()[1]
        return chosen


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is in use. Stop what uses it, or choose another: make up PORT=8001 (0: any free)."
        )
    if error.errno == errno.EACCES:
        return f"This user may not listen on port {port}. Choose one from 1024 on: make up PORT=8000"
    return f"Cannot listen on {host}, port {port}: {error.strerror}."


def is_for_others(host: str, public_url: str) -> bool:
    """Whether people elsewhere can reach it: where it listens, or through a proxy at its public address."""
    return host not in LOOPBACK or (bool(public_url) and urlsplit(public_url).hostname not in LOOPBACK)


def host_names(host: str) -> list[str]:
    """What browsers may call this machine when it listens on `host`, besides localhost."""
    if host not in {"0.0.0.0", "::"}:
        return [host]
    name = socket.gethostname()
    names = {name, socket.getfqdn()}
    # A machine whose own name is not in the DNS is reached by what is left.
    with contextlib.suppress(OSError):
        names.update(str(info[4][0]) for info in socket.getaddrinfo(name, None))
    return sorted(names)
