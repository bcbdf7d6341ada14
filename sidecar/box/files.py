"""Answers questions about the workspace's files; paths are relative to it, in the text form of `names`."""

from __future__ import annotations

import itertools
import os
import stat
from typing import Any

from sidecar.box import names

MAX_ENTRIES = 2000


class FileError(Exception):
    """The question has no answer; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def listing(root: str, path: str) -> dict[str, Any]:
    """The folder's entries as `[name, type, size, modified]`; `truncated` when there are more."""
    with _errors(), os.scandir(_resolve(root, path)) as found:
        rows = [_row(entry) for entry in itertools.islice(found, MAX_ENTRIES + 1)]
    entries = sorted(row for row in rows[:MAX_ENTRIES] if row is not None)
    return {"entries": entries, "truncated": len(rows) > MAX_ENTRIES}


def content(root: str, path: str, offset: int, length: int) -> bytes:
    """`length` bytes of a regular file from `offset`; fewer only where it ends."""
    with _errors():
        # Neither a FIFO that nobody writes nor a link that was put there in between may hold us up.
        file = os.open(_resolve(root, path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise FileError("not_a_file")
            return _read(file, offset, length)
        finally:
            os.close(file)


def _read(file: int, offset: int, length: int) -> bytes:
    parts = []
    while length > 0:
        part = os.pread(file, length, offset)
        if not part:
            break
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return b"".join(parts)


def _resolve(root: str, path: str) -> bytes:
    """The real path of `path`, which must be in the workspace.

    This keeps honest callers to the workspace; it is no wall, as everything in the box belongs to the box.
    """
    top = os.path.realpath(os.fsencode(root))
    relative = names.unescape(path)
    if b"\0" in relative:
        raise FileError("not_found")
    real = os.path.realpath(os.path.join(top, relative.lstrip(b"/")))
    if real != top and not real.startswith(top.rstrip(b"/") + b"/"):
        raise FileError("outside")
    return real


def _row(entry: os.DirEntry[bytes]) -> list[Any] | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return None  # It was deleted while we looked.
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link"}
    kind = kinds.get(stat.S_IFMT(status.st_mode), "other")
    return [names.escape(entry.name), kind, status.st_size, status.st_mtime]


class _errors:
    """Turns what the system calls answer into a FileError."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise FileError(_code(error)) from error


def _code(error: OSError) -> str:
    codes = {
        FileNotFoundError: "not_found",
        NotADirectoryError: "not_a_directory",
        IsADirectoryError: "not_a_file",
        PermissionError: "denied",
    }
    return codes.get(type(error), "failed")
