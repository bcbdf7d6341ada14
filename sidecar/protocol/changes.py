"""Questions about what changed in the workspace, and their answers: as `queries`, whose rules for paths hold.

A base is what the workspace is compared with: `start`, as it was when the session began, `turn`, as it was
when its newest turn began, or what an earlier `changes.revert` named.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

VERSION = 7
"""Of the link, from which on these may be asked."""

MAX_FILES = 2000
"""More are counted and not listed."""

MAX_PATCH_BYTES = 384 * 1024
"""A longer patch is cut at the end of a line, and says so."""

MAX_CONTEXT = 1_000_000

Base = Annotated[str, msgspec.Meta(pattern="^(start|turn|[0-9a-f]{40})$")]


class ChangesList(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`changes.list`: which files differ from what they were."""

    base: Base


class ChangedFile(msgspec.Struct, kw_only=True):
    """One of them. `additions` and `deletions` are None where lines were not counted.

    `old_path` is what a renamed one was called; `version` differs whenever its content does.
    """

    path: str
    status: Literal["added", "modified", "deleted", "renamed", "retyped"]
    kind: Literal["file", "link", "repository"]
    version: str
    old_path: str = ""
    additions: int | None = None
    deletions: int | None = None
    binary: bool = False


class ChangeList(msgspec.Struct, kw_only=True):
    """The answer to `changes.list`, by path: `total` are there, `unread` could not be looked at.

    `since` is the base's moment by the box's clock, RFC 3339 in UTC, or empty.
    """

    base: str
    since: str
    files: list[ChangedFile]
    total: int
    unread: int = 0


class ChangesDiff(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`changes.diff`: how one file differs, with so many lines of `context`."""

    base: Base
    path: str
    old_path: str = ""
    context: int = 3
    ignore_space: bool = False


class ChangeDiff(msgspec.Struct, kw_only=True):
    """The answer to `changes.diff`: base64 of a patch in git's form, empty when the file is as it was."""

    path: str
    patch: bytes
    truncated: bool


class ChangesRevert(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`changes.revert`: make a file again what it was."""

    base: Base
    path: str
    old_path: str = ""


class ChangeReverted(msgspec.Struct, kw_only=True):
    """The answer to `changes.revert`: `undo` is the base with which the same call takes it back."""

    path: str
    undo: Base
