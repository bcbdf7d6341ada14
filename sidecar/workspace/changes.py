"""Has the box remember its workspace, and tells what changed since; believes nothing that the box says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from sidecar import log
from sidecar.box import names
from sidecar.box_protocol import MAX_CHANGES_BYTES, BoxError, broken
from sidecar.protocol import changes
from sidecar.workspace.paths import moment, relative

START_SECONDS = 120.0
TURN_SECONDS = 60.0
"""For the box to remember a workspace; it begins anew where it was cut off, with the next one."""
TURN_WAITS_SECONDS = 0.5
"""No turn waits for longer: what the agent does after that may count as having been there before."""
ANSWER_SECONDS = 10.0
MAX_NAMES_BYTES = 300 * 1024

_STATUSES: dict[str, Literal["added", "modified", "deleted", "renamed", "retyped"]] = {
    "A": "added",
    "M": "modified",
    "D": "deleted",
    "R": "renamed",
    "T": "retyped",
}

_T = TypeVar("_T")
_log = log.get(__name__)


class Box(Protocol):
    """What is needed of `sidecar.box_server.BoxServer`."""

    async def changes(self, order: Mapping[str, Any], /, *, seconds: float, limit: int) -> bytes: ...


class _Listed(msgspec.Struct):
    since: float
    total: int
    unread: int
    files: list[tuple[str, str, str, int, int, Literal["file", "link", "repository"], str]]


class _Reverted(msgspec.Struct):
    undo: changes.Base


class Changes:
    """`begin` when the workspace is there, `turn` before each prompt, and `verbs` for who asks."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._has_begun = asyncio.Event()
        self._marking: asyncio.Task[None] | None = None

    @property
    def verbs(self) -> dict[str, Callable[[object], Awaitable[msgspec.Struct]]]:
        """What carries out each query; BoxError when there is no answer."""
        return {"changes.list": self._list, "changes.diff": self._diff, "changes.revert": self._revert}

    async def begin(self) -> None:
        """Remember the workspace as the session found it, once in its life; nobody waits for this."""
        try:
            await self._mark("start", seconds=START_SECONDS, once=True)
        finally:
            self._has_begun.set()

    async def turn(self) -> None:
        """Remember the workspace as a turn finds it, and wait for that a moment at most."""
        if self._marking is None or self._marking.done():
            self._marking = asyncio.create_task(self._mark_turn())
        await asyncio.wait([self._marking], timeout=TURN_WAITS_SECONDS)

    async def _mark_turn(self) -> None:
        # The box would take them in any order.
        await self._has_begun.wait()
        await self._mark("turn", seconds=TURN_SECONDS, once=False)

    async def _mark(self, name: str, *, seconds: float, once: bool) -> None:
        order = {"do": "mark", "name": name, "once": once}
        try:
            await self._box.changes(order, seconds=seconds, limit=MAX_CHANGES_BYTES)
        except OSError as error:
            _log.warning("the workspace was not remembered", name=name, reason=str(error))

    async def _list(self, data: object) -> changes.ChangeList:
        asked = msgspec.convert(data, changes.ChangesList)
        said = await self._ask({"do": "list", "base": asked.base})
        listed = _decode(said, _Listed)
        files = list(_bearable(_files(listed)))
        return changes.ChangeList(
            base=asked.base,
            since=moment(listed.since),
            files=files,
            total=max(len(listed.files), listed.total),
            unread=max(0, listed.unread),
        )

    async def _diff(self, data: object) -> changes.ChangeDiff:
        asked = msgspec.convert(data, changes.ChangesDiff)
        limit = changes.MAX_PATCH_BYTES
        order = {"do": "diff", "base": asked.base, **_paths(asked), "limit": limit}
        order |= {"context": asked.context, "ignore_space": asked.ignore_space}
        said = await self._ask(order, limit=limit + 1)
        is_cut = len(said) > limit
        patch = said[: said.rfind(b"\n", 0, limit) + 1] or said[:limit] if is_cut else said
        return changes.ChangeDiff(path=asked.path, patch=patch, truncated=is_cut)

    async def _revert(self, data: object) -> changes.ChangeReverted:
        asked = msgspec.convert(data, changes.ChangesRevert)
        said = await self._ask({"do": "revert", "base": asked.base, **_paths(asked)})
        return changes.ChangeReverted(path=asked.path, undo=_decode(said, _Reverted).undo)

    async def _ask(self, order: Mapping[str, Any], *, limit: int = MAX_CHANGES_BYTES) -> bytes:
        return await self._box.changes(order, seconds=ANSWER_SECONDS, limit=limit)


def _paths(asked: changes.ChangesDiff | changes.ChangesRevert) -> dict[str, str]:
    path = relative(asked.path)
    if not path:
        raise BoxError("not_found", "There is no such file.")
    return {"path": path, "old_path": relative(asked.old_path)}


def _files(listed: _Listed) -> Iterator[changes.ChangedFile]:
    for letter, path, old_path, additions, deletions, kind, version in listed.files[: changes.MAX_FILES]:
        if letter not in _STATUSES or not path:
            raise broken("an impossible change")
        yield changes.ChangedFile(
            path=names.clean(path),
            old_path=names.clean(old_path),
            status=_STATUSES[letter],
            kind=kind,
            version=names.clean(version)[:16],
            additions=_count(additions),
            deletions=_count(deletions),
            binary=additions == -2,
        )


def _bearable(files: Iterable[changes.ChangedFile]) -> Iterator[changes.ChangedFile]:
    size = 0
    for file in files:
        size += len(file.path.encode()) + len(file.old_path.encode())
        if size > MAX_NAMES_BYTES:
            return
        yield file


def _count(lines: int) -> int | None:
    return lines if 0 <= lines < 2**31 else None


def _decode(said: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(said, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise broken("a malformed answer") from error
