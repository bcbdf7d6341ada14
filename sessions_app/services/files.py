"""Reads the workspace through the live instance. What comes back is hostile: shaped and bounded here."""

from __future__ import annotations

import uuid

import msgspec

from openagent.lib.errors import AppError
from sessions_app import relay
from sessions_app.services import activity, shapes
from sidecar.protocol import queries

Slice = queries.FileContent


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


def read(*, session_id: uuid.UUID, path: str) -> Slice:
    """The first bytes of a file, at most MAX_READ_BYTES. AppError as for `list_folder`."""
    activity.touch(session_id=session_id)
    question = queries.FilesRead(path=path)
    return _slice(relay.query(session_id, "files.read", msgspec.to_builtins(question)), 0)


async def read_on(*, session_id: uuid.UUID, path: str, offset: int) -> Slice:
    """The next bytes of a file, while what came before is being sent."""
    question = queries.FilesRead(path=path, offset=offset)
    return _slice(await relay.ask(session_id, "files.read", msgspec.to_builtins(question)), offset)


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
