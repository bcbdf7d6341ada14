"""The file habits of drivers: whole or not at all, locked with patience, and errors as DriverError."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sessions_app.drivers.base import DriverError

LOCK_POLL_SECONDS = 0.02


def write_json(path: Path, content: Any, *, mode: int = 0o600, owner: int | None = None) -> None:
    """Replace a file in one step; after a crash it has the old content or the new."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file)
            file.flush()
            if owner is not None:
                os.fchown(file.fileno(), owner, owner)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """An object that `write_json` wrote; None when the file is not there or is no object."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return content if isinstance(content, dict) else None


@contextlib.contextmanager
def locked(path: Path, *, seconds: float) -> Iterator[int]:
    """Hold a lock file alone, among processes and threads; DriverError (`busy`) when it takes too long."""
    deadline = time.monotonic() + seconds
    while (descriptor := _try_to_lock(path)) is None:
        if time.monotonic() > deadline:
            message = "Another operation on the same files takes very long."
            raise DriverError(message, code="busy", permanent=False)
        # The kernel has no way to wait for such a lock with an end.
        time.sleep(LOCK_POLL_SECONDS)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_to_lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with contextlib.suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had it may have deleted the file: then this is the lock of nothing.
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    os.close(descriptor)
    return None


def make_folder(path: Path, *, mode: int, owner: tuple[int, int] | None = None) -> None:
    """A folder with this mode and owner, whatever the umask; one that is there already keeps its content."""
    path.mkdir(exist_ok=True)
    if owner is not None:
        os.chown(path, *owner)
    path.chmod(mode)


def printable(line: str) -> str:
    """A line of a log with its control characters made visible."""
    return "".join(map(_visible, line))


def _visible(char: str) -> str:
    return char if char.isprintable() or char == "\t" else f"\\x{ord(char):02x}"


@contextlib.contextmanager
def explained(place: Path) -> Iterator[None]:
    """Turns what the file system refuses into a DriverError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DriverError(
                f"The disk of {place} is full. Free some space, then start the session again.",
                code="disk_full",
                permanent=True,
            ) from error
        raise DriverError(
            f"{error.filename or place} cannot be used: {error.strerror}. Check its owner and its rights.",
            code="data_dir",
            permanent=error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR},
        ) from error
