"""What changed in the workspace since it was remembered: marks, lists, diffs, and files put back.

`Changes.answer` takes an order as the sidecar gives it and answers what is sent back, or raises FileError.
Paths are in the text form of `names`. Like everything here it is no wall: folder and git belong to the box.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from typing import Any

from sidecar.box import names, staging
from sidecar.box.files import FileError
from sidecar.box.reverting import put_back
from sidecar.box.shadow import GitFailed, Late, Shadow, is_tree

FOLDER = ".openagent-changes"
MAX_FILES = 2000
"""More are counted, not listed; and neither counted by lines nor looked through for renames."""
MAX_RENAMES = 200
MAX_LIST_BYTES = 64 * 1024 * 1024
MAX_CONTEXT = 1_000_000
LOOSE_FILES = 12
"""In one of 256 folders: beyond that all objects are packed, and what nobody needs is thrown away."""
KEPT_FOR = "1.hour.ago"

_GUARDS = ("--no-ext-diff", "--no-textconv")
_KINDS = {"120000": "link", "160000": "repository"}


class Changes:
    """Of one workspace. Its calls wait for one another, and none for longer than it may take."""

    def __init__(self, workspace: str, home: str) -> None:
        self._workspace = workspace
        self._folder = os.path.join(home, FOLDER)
        self._lock = threading.Lock()

    def answer(self, order: dict[str, Any]) -> bytes:
        """Carry out one order; blocks."""
        deadline = time.monotonic() + float(order["seconds"])
        if not self._lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise Late
        try:
            shadow = Shadow(self._workspace, self._folder)
            shadow.prepare()
            actions = {"mark": self._mark, "list": self._list, "diff": self._diff, "revert": self._revert}
            return actions[order["do"]](shadow, deadline, order)
        except GitFailed as error:
            raise FileError("failed") from error
        finally:
            self._lock.release()

    def _mark(self, shadow: Shadow, deadline: float, order: dict[str, Any]) -> bytes:
        """Remember the workspace under a name; with `once`, unless it is remembered already."""
        if not (order["once"] and shadow.tree_of(order["name"])):
            staging.stage(shadow, deadline)
            shadow.remember(order["name"], staging.tree(shadow, deadline))
        _tidy(shadow, deadline)
        return b"{}"

    def _list(self, shadow: Shadow, deadline: float, order: dict[str, Any]) -> bytes:
        base = _base(shadow, order["base"])
        unread = staging.stage(shadow, deadline)
        since = shadow.remembered_at(order["base"])
        files, total = _compare(shadow, deadline, base)
        return json.dumps({"since": since, "total": total, "unread": unread, "files": files}).encode()

    def _diff(self, shadow: Shadow, deadline: float, order: dict[str, Any]) -> bytes:
        """The patch of one file, as git writes it; at most one byte more than `limit`."""
        base = _base(shadow, order["base"])
        paths = _paths(order)
        staging.stage(shadow, deadline, paths)
        context = max(0, min(int(order["context"]), MAX_CONTEXT))
        options = [f"-U{context}", *(["-w"] if order["ignore_space"] else [])]
        words = ("diff-index", "--cached", "-p", "-M", "--no-color", *_GUARDS, *options, base, "--", *paths)
        return shadow.git(deadline, *words, limit=int(order["limit"]))

    def _revert(self, shadow: Shadow, deadline: float, order: dict[str, Any]) -> bytes:
        """Make a file again what it was; the answer is the tree by which it is made what it is now."""
        base = _base(shadow, order["base"])
        return json.dumps({"undo": put_back(shadow, deadline, base, _paths(order))}).encode()


def _base(shadow: Shadow, name: str) -> str:
    """A tree by the name it is remembered under, or by its id."""
    tree = name if is_tree(name) else shadow.tree_of(name) if name.isalnum() else None
    if tree is None:
        raise FileError("no_base")
    return tree


def _paths(order: dict[str, Any]) -> list[str]:
    """The path, and the one that the file had before."""
    found = [os.fsdecode(names.unescape(order[key])) for key in ("path", "old_path") if order[key]]
    if not found or any("\0" in path or path.startswith("/") for path in found):
        raise FileError("not_found")
    return found


def _compare(shadow: Shadow, deadline: float, base: str) -> tuple[list[list[Any]], int]:
    """The changed files, as far as they are listed, and how many there are."""
    plain = ("diff-index", "--cached", "--raw", "--no-abbrev", "-z", "--no-renames", base)
    rows = _rows(shadow.git(deadline, *plain, limit=MAX_LIST_BYTES))
    if len(rows) > MAX_FILES or not rows:
        return rows[:MAX_FILES], len(rows)
    words = ("diff-index", "--cached", "--raw", "--numstat", "--no-abbrev", "-z", "-M", f"-l{MAX_RENAMES}")
    # Half of what is left: a list without its counts is better than none.
    half = time.monotonic() + (deadline - time.monotonic()) / 2
    with contextlib.suppress(Late):
        rows = _rows(shadow.git(half, *words, *_GUARDS, base, limit=MAX_LIST_BYTES))
    return rows, len(rows)


def _rows(said: bytes) -> list[list[Any]]:
    """`[status, path, old path, additions, deletions, kind, version]`; -1 where lines are not counted."""
    words = iter(said.split(b"\0"))
    rows: dict[bytes, list[Any]] = {}
    for word in words:
        if word.startswith(b":"):
            old_mode, mode, _, version, status = word[1:].decode().split(" ")
            path = next(words)
            old_path, path = (path, next(words)) if status[0] in "RC" else (b"", path)
            kind = _KINDS.get(old_mode if status == "D" else mode, "file")
            texts = (names.escape(path), names.escape(old_path))
            rows[path] = [status[0], *texts, -1, -1, kind, version[:16]]
        elif word:
            _count(word, words, rows)
    return list(rows.values())


def _count(word: bytes, words: Any, rows: dict[bytes, list[Any]]) -> None:
    additions, deletions, path = word.split(b"\t", 2)
    if not path:
        next(words)
        path = next(words)
    # "-" stands for what is not text.
    counts = [-2 if each == b"-" else int(each) for each in (additions, deletions)]
    rows[path][3:5] = counts


def _tidy(shadow: Shadow, deadline: float) -> None:
    try:
        loose = len(os.listdir(os.path.join(shadow.folder, b"objects", b"17")))
    except FileNotFoundError:
        return
    if loose > LOOSE_FILES:
        with contextlib.suppress(Late, GitFailed):
            shadow.git(deadline, "gc", "--quiet", f"--prune={KEPT_FOR}")
