"""A git directory beside the workspace that only we use: runs git on it, bounded in time and output.

It is no repository of the user's, and nothing that the workspace holds is configuration for it: no hooks, no
filters, no file system monitor, no other program. It lies on the session's disk and belongs to the box.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import zlib
from collections.abc import Iterable

from sidecar.box.files import FileError

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
NICENESS = 10

_CONFIG = """[core]
\trepositoryFormatVersion = 0
\tbare = false
\tfileMode = true
\tsymlinks = true
\tignoreCase = false
\tautocrlf = false
\tsafecrlf = false
\thooksPath = /dev/null
\tattributesFile = /dev/null
\texcludesFile = /dev/null
\tfsmonitor = false
\tuntrackedCache = false
\tlogAllRefUpdates = false
\tlooseCompression = 1
[diff]
\tignoreSubmodules = all
\tmnemonicPrefix = false
\tnoprefix = false
[gc]
\tauto = 0
[pack]
	threads = 1
	window = 4
[protocol]
\tallow = never
"""
# These win over whatever the workspace says about its files: what is compared are the bytes on the disk.
_ATTRIBUTES = "* -text -ident -filter -working-tree-encoding !eol !diff !merge !whitespace\n"
# What programs write beside everything, and nobody reviews; a workspace's own rules can say otherwise.
_EXCLUDES = """__pycache__/
node_modules/
.venv/
.pytest_cache/
.mypy_cache/
.ruff_cache/
.DS_Store
"""
_TREE = re.compile(r"[0-9a-f]{40}")


class Late(FileError):
    """There was no time left for it; what was done of it need not be done again."""

    def __init__(self) -> None:
        super().__init__("busy")


class GitFailed(Exception):
    """Git ended with an error."""


class Shadow:
    """The git directory of one workspace; one caller at a time."""

    def __init__(self, workspace: str, folder: str) -> None:
        self.workspace = os.fsencode(os.path.realpath(workspace))
        self.folder = os.fsencode(folder)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "XDG_"))}
        self._environment = {
            **kept,
            "GIT_DIR": folder,
            "GIT_WORK_TREE": os.fsdecode(self.workspace),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "HOME": folder,
            "LC_ALL": "C",
        }

    def prepare(self) -> None:
        """Make it, or put right what must be so for it to be harmless."""
        for part in (b"objects", b"refs/openagent", b"info"):
            os.makedirs(os.path.join(self.folder, part), mode=0o700, exist_ok=True)
        self.write(b"HEAD", b"ref: refs/openagent/none\n")
        self.write(b"config", _CONFIG.encode())
        self.write(b"info/attributes", _ATTRIBUTES.encode())
        self.write(b"info/exclude", _EXCLUDES.encode())
        # Whoever held it is gone: callers come one after the other, and none outlives its git.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, b"index.lock"))

    def git(self, deadline: float, *words: str, fed: bytes = b"", limit: int = 32 * 1024 * 1024) -> bytes:
        """What it prints, at most one byte more than `limit`. Late, GitFailed, FileError without git."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise Late
        with tempfile.TemporaryFile(dir=self.folder) as stdin:
            stdin.write(fed)
            stdin.seek(0)
            process = self._popen(words, stdin.fileno())
        return _read(process, left, limit)

    def can_pack(self, deadline: float) -> bool:
        """Whether this git can add many files as one pack; as objects of their own they take far more."""
        found = re.match(rb"git version (\d+)\.(\d+)", self.git(deadline, "version"))
        return found is not None and (int(found[1]), int(found[2])) >= (2, 37)

    def tree_of(self, name: str) -> str | None:
        """The tree that was remembered under this name."""
        tree = self.read(os.path.join(b"refs/openagent", name.encode())).decode("ascii", "replace").strip()
        return tree if _TREE.fullmatch(tree) else None

    def remember(self, name: str, tree: str) -> None:
        """Keep a tree, and the moment, under a name."""
        if tree == EMPTY_TREE:
            self.add_object(b"tree", b"")
        self.write(os.path.join(b"refs/openagent", name.encode()), f"{tree}\n".encode(), anew=True)

    def remembered_at(self, name: str) -> float:
        """When that was, by the box's clock; 0 when it never was."""
        try:
            return os.stat(os.path.join(self.folder, b"refs/openagent", name.encode())).st_mtime
        except FileNotFoundError:
            return 0.0

    def add_object(self, kind: bytes, content: bytes) -> str:
        """Store a small object without git; its id."""
        data = kind + b" %d\0" % len(content) + content
        name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        os.makedirs(os.path.join(self.folder, b"objects", name[:2].encode()), exist_ok=True)
        self.write(f"objects/{name[:2]}/{name[2:]}".encode(), zlib.compress(data, 1))
        return name

    def read(self, name: bytes) -> bytes:
        """A file of the folder; empty when there is none."""
        try:
            with open(os.path.join(self.folder, name), "rb") as file:
                return file.read(16 * 1024 * 1024)
        except FileNotFoundError:
            return b""

    def write(self, name: bytes, content: bytes, *, anew: bool = False) -> None:
        """Put a file of the folder in place as a whole, unless it is so already."""
        if not anew and self.read(name) == content:
            return
        path = os.path.join(self.folder, name)
        with open(path + b".new", "wb") as file:
            file.write(content)
        os.replace(path + b".new", path)

    def _popen(self, words: Iterable[str], stdin: int) -> subprocess.Popen[bytes]:
        try:
            process = subprocess.Popen(
                ["git", *words],
                env=self._environment,
                cwd=self.workspace,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise FileError("no_git") from None
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        return process


def is_tree(name: str) -> bool:
    """Whether it looks like the id of a tree."""
    return bool(_TREE.fullmatch(name))


def _read(process: subprocess.Popen[bytes], seconds: float, limit: int) -> bytes:
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        _kill(process)

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        assert process.stdout is not None
        with process.stdout:
            said = process.stdout.read(limit + 1)
            if len(said) > limit:
                _kill(process)
        code = process.wait()
    finally:
        timer.cancel()
    if is_late.is_set():
        raise Late
    if code != 0 and len(said) <= limit:
        raise GitFailed(code)
    return said


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
