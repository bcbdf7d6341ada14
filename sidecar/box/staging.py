"""Brings the shadow's index up to what the workspace holds now, a batch at a time, so that no time is lost.

Ignored files stay out. Of a file that is too large only its size and time are kept: a note.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sidecar.box.files import FileError
from sidecar.box.shadow import EMPTY_TREE, GitFailed, Shadow

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_NEW_FILES = 100_000
MAX_NEW_BYTES = 2 * 1024 * 1024 * 1024
MIN_FREE_BYTES = 256 * 1024 * 1024
"""Of the disk: it is the user's, and what is kept for comparing must not be what fills it."""
BATCH_FILES = 4000
PACKED_FILES = 200
"""As many at once are kept in one pack."""
BATCH_BYTES = 64 * 1024 * 1024
MAX_NESTED = 100

# A NUL has git take it for what is not text.
NOTE = b"\0openagent: too large to be kept\0"
_LARGE = b"large.json"


@dataclass
class _Found:
    """What has to be done to the index, by paths as bytes."""

    add: list[tuple[bytes, int]] = field(default_factory=list)
    nested: list[bytes] = field(default_factory=list)
    large: dict[bytes, str] = field(default_factory=dict)
    gone: list[bytes] = field(default_factory=list)
    unread: int = 0
    real: dict[bytes, bool] = field(default_factory=dict)


def stage(shadow: Shadow, deadline: float, paths: Sequence[str] = ()) -> int:
    """Take all changes into the index, or those of `paths`; how many files could not be read.

    Late when time is up, FileError `too_large` or `full` when it must not be done at all.
    """
    if not paths and _is_empty(shadow.workspace) and not shadow.read(b"index"):
        return 0
    large = _read_large(shadow)
    found = _look(shadow, deadline, paths, large)
    _check(shadow, found)
    if found.gone:
        shadow.git(deadline, "update-index", "--force-remove", "-z", "--stdin", fed=_list(found.gone))
    for batch in _batches(found.add):
        found.unread += _add(shadow, deadline, batch)
    for path in found.nested[:MAX_NESTED]:
        # One without a commit is nothing yet.
        _add(shadow, deadline, [path])
    _note_large(shadow, deadline, large, found)
    return found.unread


def tree(shadow: Shadow, deadline: float) -> str:
    """The index as a tree."""
    if not shadow.read(b"index"):
        shadow.add_object(b"tree", b"")
        return EMPTY_TREE
    return shadow.git(deadline, "write-tree").decode().strip()


def is_large(shadow: Shadow, path: str) -> bool:
    """Whether of this file only a note is in the index."""
    return os.fsencode(path) in _read_large(shadow)


def _look(shadow: Shadow, deadline: float, paths: Sequence[str], large: dict[bytes, str]) -> _Found:
    words = ("ls-files", "-z", "-o", "-m", "-d", "--exclude-standard", "--", *paths)
    changed = dict.fromkeys(shadow.git(deadline, *words).split(b"\0"))
    changed.pop(b"", None)
    if len(changed) > MAX_NEW_FILES:
        raise FileError("too_large")
    found = _Found()
    # What git is told to take for unchanged, it does not tell of.
    known = [path for path in large if not paths or path in map(os.fsencode, paths)]
    for path in dict.fromkeys([*changed, *known]):
        _sort(shadow, path, large, found)
    return found


def _sort(shadow: Shadow, path: bytes, large: dict[bytes, str], found: _Found) -> None:
    try:
        status = os.lstat(os.path.join(shadow.workspace, path))
    except (FileNotFoundError, NotADirectoryError):
        found.gone.append(path)
        return
    if not _is_real(shadow, os.path.dirname(path.rstrip(b"/")), found.real):
        found.gone.append(path)
        return
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFDIR:
        # A repository within the workspace, or a folder where a file was.
        is_nested = os.path.lexists(os.path.join(shadow.workspace, path, b".git"))
        (found.nested if is_nested else found.gone).append(path.rstrip(b"/"))
    elif kind == stat.S_IFREG and status.st_size > MAX_FILE_BYTES:
        note = NOTE + b"%d bytes, %d\n" % (status.st_size, status.st_mtime_ns)
        name = shadow.add_object(b"blob", note)
        if large.get(path) != name:
            found.large[path] = name
    elif kind == stat.S_IFLNK or (kind == stat.S_IFREG and _may_read(shadow, path)):
        if path in large:
            found.gone.append(path)
        found.add.append((path, status.st_size))
    elif kind == stat.S_IFREG:
        found.unread += 1
    else:
        found.gone.append(path)


def _is_real(shadow: Shadow, folder: bytes, known: dict[bytes, bool]) -> bool:
    """Whether it is a folder of the workspace; a link that took its place leads elsewhere."""
    if folder not in known:
        whole = os.path.join(shadow.workspace, folder) if folder else shadow.workspace
        known[folder] = os.path.realpath(whole) == whole
    return known[folder]


def _may_read(shadow: Shadow, path: bytes) -> bool:
    return os.access(os.path.join(shadow.workspace, path), os.R_OK)


def _check(shadow: Shadow, found: _Found) -> None:
    size = sum(size for _, size in found.add)
    if size > MAX_NEW_BYTES:
        raise FileError("too_large")
    if found.add and shutil.disk_usage(shadow.folder).free < MIN_FREE_BYTES + size:
        raise FileError("full")


def _add(shadow: Shadow, deadline: float, paths: Sequence[bytes]) -> int:
    """Add these, and do without those that git cannot: how many."""
    try:
        is_packed = len(paths) >= PACKED_FILES and shadow.can_pack(deadline)
        options = ("-c", "core.bigFileThreshold=1") if is_packed else ()
        words = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
        shadow.git(deadline, *options, *words, fed=_list(paths))
    except GitFailed:
        _unlock(shadow)
        if len(paths) == 1:
            return 1
        middle = len(paths) // 2
        return _add(shadow, deadline, paths[:middle]) + _add(shadow, deadline, paths[middle:])
    return 0


def _note_large(shadow: Shadow, deadline: float, large: dict[bytes, str], found: _Found) -> None:
    kept = {path: name for path, name in large.items() if path not in found.gone}
    if not found.large and kept == large:
        return
    # Without their names first: what is cut off in between is done again.
    _write_large(shadow, {**kept, **dict.fromkeys(found.large, "")})
    if found.large:
        rows = [b"100644 %s 0\t%s\0" % (name.encode(), path) for path, name in found.large.items()]
        # Entries that git takes for unchanged: it would read each of these files whenever it looks.
        words = ("-c", "core.ignoreStat=true", "update-index", "--replace", "-z", "--index-info")
        shadow.git(deadline, *words, fed=b"".join(rows))
    _write_large(shadow, {**kept, **found.large})


def _read_large(shadow: Shadow) -> dict[bytes, str]:
    try:
        found = json.loads(shadow.read(_LARGE) or b"{}")
        return {os.fsencode(str(path)): str(name) for path, name in found.items()}
    except (ValueError, AttributeError):
        return {}


def _write_large(shadow: Shadow, large: dict[bytes, str]) -> None:
    plain = {os.fsdecode(path): name for path, name in large.items()}
    shadow.write(_LARGE, json.dumps(plain).encode())


def _batches(rows: Iterable[tuple[bytes, int]]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for path, bytes_of_it in rows:
        batch.append(path)
        size += bytes_of_it
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _list(paths: Iterable[bytes]) -> bytes:
    return b"".join(path + b"\0" for path in paths)


def _unlock(shadow: Shadow) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(shadow.folder, b"index.lock"))


def _is_empty(workspace: bytes) -> bool:
    with os.scandir(workspace) as entries:
        return next(entries, None) is None
