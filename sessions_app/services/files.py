"""Reads the workspace through the live instance. What comes back is hostile: shaped and bounded here."""

from __future__ import annotations

import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from openagent.lib.errors import AppError
from sessions_app import relay
from sessions_app.services import activity, shapes
from sidecar.protocol import queries

Slice = queries.FileContent


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A file that is about to be streamed; `size` is None when nobody could tell."""

    session_id: uuid.UUID
    path: str
    first: Slice
    size: int | None


class BadAnswer(AppError):
    """The sidecar answered something that is no answer."""

    def __init__(self) -> None:
        super().__init__("bad_answer", "The box gave an answer that makes no sense; try again.", 502)


def list_folder(*, session_id: uuid.UUID, path: str) -> shapes.Shape:
    """What a folder holds. AppError `asleep` without a live instance, or with what the sidecar said."""
    activity.touch(session_id=session_id)
    question = queries.FilesList(path=path)
    answer = relay.query(session_id, "files.list", msgspec.to_builtins(question))
    try:
        listing = queries.read_list(answer)
    except msgspec.ValidationError:
        raise BadAnswer from None
    entries = [
        {
            "name": entry.name,
            "type": entry.type,
            "size": entry.size,
            "modified_at": entry.modified_at or None,
        }
        for entry in listing.entries[: queries.MAX_ENTRIES]
    ]
    return {"path": path, "entries": entries, "truncated": listing.truncated}


def begin(*, session_id: uuid.UUID, path: str) -> Opened:
    """The first bytes of a file, and how many it has. AppError as for `list_folder`."""
    activity.touch(session_id=session_id)
    question = queries.FilesRead(path=path)
    first = _slice(relay.query(session_id, "files.read", msgspec.to_builtins(question)), 0)
    size = len(first.content) if first.end else _size_of(session_id, path)
    is_known = size is not None and size >= len(first.content)
    return Opened(session_id=session_id, path=path, first=first, size=size if is_known else None)


async def stream(opened: Opened) -> AsyncIterator[bytes]:
    """The file, holding one slice of it at a time, and no more bytes than were promised.

    An error in between can no longer be told: it ends the connection, and what arrived is not whole.
    """
    left = sys.maxsize if opened.size is None else opened.size
    piece = opened.first
    while piece.content and left > 0:
        yield piece.content[:left]
        left -= len(piece.content)
        if piece.end or left <= 0:
            return
        piece = await _read_on(opened, piece.offset + len(piece.content))


async def _read_on(opened: Opened, offset: int) -> Slice:
    question = queries.FilesRead(path=opened.path, offset=offset)
    return _slice(await relay.ask(opened.session_id, "files.read", msgspec.to_builtins(question)), offset)


def _slice(answer: shapes.Shape, offset: int) -> Slice:
    try:
        piece = queries.read_content(answer)
    except msgspec.ValidationError:
        raise BadAnswer from None
    # A slice from elsewhere, or an empty one in the middle, would never come to an end.
    is_here = piece.offset == offset and len(piece.content) <= queries.MAX_READ_BYTES
    if not is_here or not (piece.content or piece.end):
        raise BadAnswer
    return piece


def _size_of(session_id: uuid.UUID, path: str) -> int | None:
    """What its folder says; None where that is cut, or shows a link, whose size is its own."""
    *folder, name = [part for part in path.split("/") if part not in ("", ".")] or [""]
    try:
        listing = list_folder(session_id=session_id, path="/".join(folder))
    except AppError:
        return None
    sizes = {entry["name"]: entry["size"] for entry in listing["entries"] if entry["type"] == "file"}
    size: int | None = sizes.get(name)
    return size
