"""The sidecar's end of a link, as far as it answers questions about the workspace."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, cast

from openagent.lib.errors import AppError
from sessions_app import relay
from sessions_app.models import Session
from sidecar.protocol import queries


class Workspace:
    """Answers from a dictionary of paths, or what it is told to, and remembers what it was asked."""

    last_command = 0
    terminals = cast(relay.LinkTerminals, None)

    def __init__(self, session: Session) -> None:
        self.session_id = session.pk
        self.instance_id = uuid.uuid4()
        self.files: dict[str, bytes] = {}
        self.links: set[str] = set()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answer: dict[str, Any] | None = None

    def wake(self) -> None:
        pass

    def forget_key(self, provider: str) -> None:
        pass

    def end(self, code: int, reason: str) -> None:
        pass

    def offsets(self) -> list[int]:
        return [data["offset"] for verb, data in self.asked if verb == "files.read"]

    async def query(self, verb: str, data: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((verb, data))
        await asyncio.sleep(0)
        if self.answer is not None:
            return self.answer
        if verb == "files.list":
            return queries.to_answer(self._list(data["path"]))
        return queries.to_answer(self._read(**data))

    def _list(self, path: str) -> queries.FileList:
        entries = [
            queries.FileEntry(
                name=name.rpartition("/")[2],
                type="link" if name in self.links else "file",
                size=3 if name in self.links else len(content),
                modified_at="2026-11-22T10:00:00Z",
            )
            for name, content in self.files.items()
        ]
        entries.append(queries.FileEntry(name="odd", type="other", size=0, modified_at=""))
        return queries.FileList(path=path, entries=entries, truncated=False)

    def _read(self, path: str, offset: int, length: int) -> queries.FileContent:
        path = path.removeprefix("./")
        if path not in self.files:
            raise AppError("not_found", "There is no such file.", 404)
        content = self.files[path]
        piece = content[offset : offset + length]
        return queries.FileContent(
            path=path, offset=offset, content=piece, end=offset + length >= len(content)
        )
