"""Answers questions about files: asks the box, believes nothing it says, and shapes what is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import Protocol

import msgspec

from sidecar.box_protocol import BoxError, Entry, Listing
from sidecar.protocol import frames, queries
from sidecar.workspace import changes
from sidecar.workspace.changes import Changes
from sidecar.workspace.paths import moment, relative

MAX_AT_ONCE = 4
MAX_WAITING = 32
MAX_NAMES_BYTES = 400 * 1024
"""All names of a listing together, so that it fits into a frame however they are escaped."""

_CODES: dict[str, queries.QueryError] = {
    "not_found": "not_found",
    "not_a_directory": "not_a_directory",
    "not_a_file": "not_a_file",
    "box_lost": "asleep",
    "box_timeout": "busy",
    "busy": "busy",
    "not_kept": "not_kept",
    **dict.fromkeys(("unknown_order", "no_git", "no_base", "too_large", "full"), "unavailable"),
}


class Files(changes.Box, Protocol):
    """What is needed of `sidecar.box_server.BoxServer`."""

    async def list_files(self, path: str, /) -> Listing: ...

    async def read_file(self, path: str, offset: int, length: int, /) -> bytes: ...


class Desk:
    """Answers queries, a few at a time; `answer` never raises."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.changes = Changes(files)
        self._turn = asyncio.Semaphore(MAX_AT_ONCE)
        self._count = 0

    async def answer(self, query: frames.Query) -> frames.Answer:
        """The answer to send back."""
        if self._count >= MAX_WAITING:
            return _failure(query, "busy", "Too many files are asked for at once. Try again in a moment.")
        self._count += 1
        try:
            async with self._turn:
                data = await (self._verbs | self.changes.verbs)[query.verb](query.data)
            return frames.Answer(id=query.id, data=queries.to_answer(data))
        except msgspec.ValidationError:
            return _failure(query, "invalid", "This is not a question about the workspace.")
        except BoxError as error:
            return _failure(query, _CODES.get(error.code, "unreadable"), error.message)
        finally:
            self._count -= 1

    @property
    def _verbs(self) -> dict[str, Callable[[object], Awaitable[queries.FileList | queries.FileContent]]]:
        return {"files.list": self._list, "files.read": self._read}

    async def _list(self, data: object) -> queries.FileList:
        asked = msgspec.convert(data, queries.FilesList)
        listing = await self._files.list_files(relative(asked.path))
        entries = [
            queries.FileEntry(
                name=entry.name, type=entry.type, size=entry.size, modified_at=moment(entry.modified)
            )
            for entry in _bearable(listing.entries)
        ]
        entries.sort(key=lambda entry: (entry.type != "dir", entry.name))
        is_cut = listing.truncated or len(listing.entries) > len(entries)
        return queries.FileList(path=asked.path, entries=entries, truncated=is_cut)

    async def _read(self, data: object) -> queries.FileContent:
        asked = msgspec.convert(data, queries.FilesRead)
        length = max(1, min(asked.length, queries.MAX_READ_BYTES))
        content = await self._files.read_file(relative(asked.path), asked.offset, length)
        end = len(content) < length
        return queries.FileContent(path=asked.path, offset=asked.offset, content=content, end=end)


def _bearable(entries: Iterable[Entry]) -> Iterator[Entry]:
    size = 0
    for entry in islice(entries, queries.MAX_ENTRIES):
        size += len(entry.name.encode())
        if size > MAX_NAMES_BYTES:
            return
        yield entry


def _failure(query: frames.Query, code: queries.QueryError, message: str) -> frames.Answer:
    return frames.Answer(id=query.id, error=code, message=message)
