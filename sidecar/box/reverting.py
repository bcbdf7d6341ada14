"""Makes files of the workspace again what they were in a tree of the shadow's."""

from __future__ import annotations

import os
from collections.abc import Sequence

from sidecar.box import staging
from sidecar.box.files import FileError
from sidecar.box.shadow import Shadow

_FILES = {b"100644", b"100755", b"120000"}


def put_back(shadow: Shadow, deadline: float, base: str, paths: Sequence[str]) -> str:
    """Put these back; the answer is a tree with what they were until now.

    FileError `not_kept` for what could not be put back, or not again, and nothing is changed then.
    """
    staging.stage(shadow, deadline, paths)
    undo = staging.tree(shadow, deadline)
    were = [_is_in(shadow, deadline, base, path) for path in paths]
    are = [_is_in(shadow, deadline, undo, path) for path in paths]
    if not any(were + are):
        raise FileError("not_found")
    # What is in the way goes first: the new name of what was renamed.
    for path, was, is_there in zip(paths, were, are, strict=True):
        if is_there and not was:
            shadow.git(deadline, "rm", "-q", "-f", "--", path)
    for path, was in zip(paths, were, strict=True):
        if was:
            shadow.git(deadline, "checkout", "-q", "-f", base, "--", path)
    return undo


def _is_in(shadow: Shadow, deadline: float, tree: str, path: str) -> bool:
    """Whether the tree has such a file; FileError `not_kept` when it has no more of it than a note."""
    found = shadow.git(deadline, "ls-tree", "-z", tree, "--", path)
    if not found:
        return False
    mode, _, rest = found.partition(b" ")
    blob = rest.split(b" ")[1].split(b"\t")[0].decode()
    if mode not in _FILES or found.count(b"\0") != 1 or not found.endswith(os.fsencode(path) + b"\0"):
        raise FileError("not_kept")
    if shadow.git(deadline, "cat-file", "blob", blob, limit=len(staging.NOTE)).startswith(staging.NOTE):
        raise FileError("not_kept")
    return True
