"""Questions about the workspace and their answers: the `data` of frames.Query and of frames.Answer.

What changed in it is in `changes`.

A path is relative to the workspace, with "/" between its parts; "" is the workspace itself. Names come from
an untrusted box: they are shown, and sent back in a later query, and mean nothing else to the platform.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

MAX_ENTRIES = 2000
"""A longer directory is cut and says so."""

MAX_READ_BYTES = 512 * 1024
"""A longer read is shortened: the next one begins where this one ended."""

QueryError = Literal[
    "invalid",  # the question itself makes no sense
    "not_found",
    "not_a_directory",
    "not_a_file",
    "unreadable",  # it exists, and the box does not or may not show it
    "busy",  # too many questions at once, or the box does not answer
    "asleep",  # there is no box, or not yet
    "unavailable",  # this session has no answer to it, now or at all
    "not_kept",  # what a file was is not there any more, so it cannot be put back
]
"""The codes of frames.Answer.error."""

Verb = Literal["files.list", "files.read", "terminals.read", "changes.list", "changes.diff", "changes.revert"]
"""What may be asked; `changes` since `changes.VERSION` of the link."""


class FilesList(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`files.list`: what a directory holds."""

    path: str


class FileEntry(msgspec.Struct, kw_only=True):
    """One name in a directory; `modified_at` is RFC 3339 in UTC, or empty where the box gave no real time."""

    name: str
    type: Literal["file", "dir", "link", "other"]
    size: int
    modified_at: str


class FileList(msgspec.Struct, kw_only=True):
    """The answer to `files.list`, directories first, each kind by name; `truncated` when there was more."""

    path: str
    entries: list[FileEntry]
    truncated: bool


class FilesRead(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`files.read`: up to `length` bytes of a file from `offset` on."""

    path: str
    offset: int = 0
    length: int = MAX_READ_BYTES


class FileContent(msgspec.Struct, kw_only=True):
    """The answer to `files.read`: base64 of bytes from `offset` on; `end` when the file ends with them."""

    path: str
    offset: int
    content: bytes
    end: bool


def to_answer(result: msgspec.Struct) -> dict[str, Any]:
    """The `data` of the frames.Answer that carries `result`."""
    plain: dict[str, Any] = msgspec.to_builtins(result)
    return plain


def read_list(data: object) -> FileList:
    """The FileList in an answer; msgspec.ValidationError when it is none."""
    return msgspec.convert(data, FileList)


def read_content(data: object) -> FileContent:
    """The FileContent in an answer; msgspec.ValidationError when it is none."""
    return msgspec.convert(data, FileContent)
