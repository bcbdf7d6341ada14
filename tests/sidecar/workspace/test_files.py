"""Questions about files, asked of a real box program and of one that lies."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from sidecar.box_protocol import BoxError, Entry, Listing
from sidecar.protocol import frames, queries
from sidecar.workspace import files
from sidecar.workspace.files import Desk
from tests.fakes.local_box import local_box

Verb = Literal["files.list", "files.read"]


async def ask(desk: Desk, verb: Verb, **data: Any) -> frames.Answer:
    answer = await desk.answer(frames.Query(id="q", verb=verb, data=data))
    assert answer.id == "q"
    # It fits into a frame whatever the box said.
    assert len(frames.encode(answer)) < frames.MAX_FRAME_BYTES
    return answer


async def test_a_directory_is_listed_folders_first(tmp_path: Path) -> None:
    async with local_box(tmp_path) as box:
        (box.workspace / "src").mkdir()
        (box.workspace / "b.txt").write_text("12345")
        (box.workspace / "a.txt").touch()
        os.utime(box.workspace / "a.txt", (1_700_000_000, 1_700_000_000))
        os.symlink("/etc/passwd", box.workspace / "link")
        answer = await ask(Desk(box.server), "files.list", path="")
        listing = queries.read_list(answer.data)
        assert [(entry.name, entry.type, entry.size) for entry in listing.entries][:3] == [
            ("src", "dir", listing.entries[0].size),
            ("a.txt", "file", 0),
            ("b.txt", "file", 5),
        ]
        assert listing.entries[1].modified_at == "2023-11-14T22:13:20Z"
        assert listing.entries[3].type == "link" and not listing.truncated
        inside = queries.read_list((await ask(Desk(box.server), "files.list", path="/src/./")).data)
        assert inside.entries == []


async def test_a_file_is_read_piece_by_piece(tmp_path: Path) -> None:
    async with local_box(tmp_path) as box:
        content = os.urandom(queries.MAX_READ_BYTES + 1000)
        (box.workspace / "data.bin").write_bytes(content)
        desk, read, is_end = Desk(box.server), b"", False
        while not is_end:
            answer = await ask(desk, "files.read", path="data.bin", offset=len(read))
            piece = queries.read_content(answer.data)
            assert piece.offset == len(read)
            read, is_end = read + piece.content, piece.end
        assert read == content


@pytest.mark.parametrize(
    ("verb", "data", "code"),
    [
        ("files.list", {"path": "none"}, "not_found"),
        ("files.list", {"path": "file"}, "not_a_directory"),
        ("files.read", {"path": ""}, "not_a_file"),
        ("files.read", {"path": "../../etc/passwd"}, "not_found"),
        ("files.read", {"path": "a\0b"}, "not_found"),
        ("files.read", {"path": "file", "offset": -1}, "not_found"),
        ("files.read", {"path": "way-out/passwd"}, "unreadable"),
        ("files.list", {}, "invalid"),
        ("files.list", {"path": "", "more": 1}, "invalid"),
        ("files.read", {"path": "file", "offset": "0"}, "invalid"),
    ],
)
async def test_a_question_without_an_answer_says_why(
    tmp_path: Path, verb: Verb, data: dict[str, Any], code: str
) -> None:
    async with local_box(tmp_path) as box:
        (box.workspace / "file").write_text("content")
        os.symlink("/etc", box.workspace / "way-out")
        answer = await ask(Desk(box.server), verb, **data)
        assert answer.error == code and answer.message and answer.data is None


class LyingBox:
    """A box that answers what it is told to, when it is told to."""

    def __init__(self, listing: Listing | None = None, error: BoxError | None = None) -> None:
        self.listing = listing or Listing([], truncated=False)
        self.error = error
        self.may_answer = asyncio.Event()
        self.at_once = 0
        self.most_at_once = 0

    async def list_files(self, path: str, /) -> Listing:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.may_answer.wait()
        self.at_once -= 1
        if self.error:
            raise self.error
        return self.listing

    async def read_file(self, path: str, offset: int, length: int, /) -> bytes:
        return b"x" * length

    async def changes(self, order: Mapping[str, Any], /, *, seconds: float, limit: int) -> bytes:
        raise NotImplementedError


async def test_an_endless_directory_is_cut() -> None:
    entries = [Entry("n" * 100 + str(n), "file", 1, 1e9) for n in range(queries.MAX_ENTRIES * 2)]
    box = LyingBox(Listing(entries, truncated=False))
    box.may_answer.set()
    listing = queries.read_list((await ask(Desk(box), "files.list", path="")).data)
    assert listing.truncated and len(listing.entries) == queries.MAX_ENTRIES


async def test_endless_names_are_cut_too() -> None:
    entries = [Entry("\\" * 2000 + str(n), "file", 1, 1e9) for n in range(queries.MAX_ENTRIES)]
    box = LyingBox(Listing(entries, truncated=False))
    box.may_answer.set()
    listing = queries.read_list((await ask(Desk(box), "files.list", path="")).data)
    assert listing.truncated and len(listing.entries) > 100


@pytest.mark.parametrize(
    ("code", "expected"), [("box_lost", "asleep"), ("box_timeout", "busy"), ("box_protocol", "unreadable")]
)
async def test_a_box_that_is_gone_or_lies_is_an_answer_too(code: str, expected: str) -> None:
    box = LyingBox(error=BoxError(code, "words"))
    box.may_answer.set()
    answer = await ask(Desk(box), "files.list", path="")
    assert (answer.error, answer.message) == (expected, "words")


async def test_few_questions_at_once_and_not_too_many_waiting() -> None:
    box = LyingBox()
    desk = Desk(box)
    asked = [asyncio.create_task(ask(desk, "files.list", path="")) for _ in range(files.MAX_WAITING + 3)]
    async with asyncio.timeout(20):
        while sum(task.done() for task in asked) < 3:
            await asyncio.sleep(0.01)
    done, _ = await asyncio.wait(asked, timeout=0.1)
    assert [task.result().error for task in done] == ["busy"] * 3
    box.may_answer.set()
    answers = await asyncio.gather(*asked)
    assert sum(answer.error == "" for answer in answers) == files.MAX_WAITING
    assert box.most_at_once == files.MAX_AT_ONCE
