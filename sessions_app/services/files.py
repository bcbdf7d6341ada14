"""Reads the workspace through the live instance. What comes back is hostile: shaped and bounded here."""

from __future__ import annotations

import uuid

import msgspec
from asgiref.sync import sync_to_async

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


def read(*, session_id: uuid.UUID, path: str, offset: int = 0) -> Slice:
    """The next bytes of a file, at most MAX_READ_BYTES. AppError as for `list_folder`."""
    activity.touch(session_id=session_id)
    question = queries.FilesRead(path=path, offset=offset)
    answer = relay.query(session_id, "files.read", msgspec.to_builtins(question))
    try:
        piece = queries.read_content(answer)
    except msgspec.ValidationError:
        raise BadAnswer from None
    # A slice from elsewhere, an endless one or an empty one in the middle would never come to an end.
    if piece.offset != offset or len(piece.content) > queries.MAX_READ_BYTES:
        raise BadAnswer
    if not piece.content and not piece.end:
        raise BadAnswer
    return piece


async def read_on(*, session_id: uuid.UUID, path: str, offset: int) -> Slice:
    """As `read`, while an answer is being streamed."""
    return await sync_to_async(read, thread_sensitive=False)(session_id=session_id, path=path, offset=offset)
