"""What changed in a workspace, as boxes tell it that lie or are older."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from sidecar.box_protocol import BoxError
from sidecar.protocol import changes
from sidecar.workspace.files import Desk
from tests.sidecar.workspace.test_changes import ask
from tests.sidecar.workspace.test_files import LyingBox


class Liar(LyingBox):
    """A box with one answer to every order."""

    def __init__(self, said: bytes = b"", error: BoxError | None = None) -> None:
        super().__init__()
        self.said = said
        self.refusal = error

    async def changes(self, order: Mapping[str, Any], /, *, seconds: float, limit: int) -> bytes:
        if self.refusal:
            raise self.refusal
        return self.said


ROW = ["A", "p", "", 1, 1, "file", "v"]


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[]",
        b'{"since": 1, "total": 1, "unread": 0, "files": [1]}',
        json.dumps({"since": 1, "total": 1, "unread": 0, "files": [["?", *ROW[1:]]]}).encode(),
        json.dumps({"since": 1, "total": 1, "unread": 0, "files": [["A", "", *ROW[2:]]]}).encode(),
    ],
)
async def test_a_lie_is_an_error(said: bytes) -> None:
    assert (await ask(Desk(Liar(said)), "changes.list", base="start")).error == "unreadable"


async def test_what_a_box_lists_is_bounded_and_printable() -> None:
    rows = [["A", f"\u202e{number}" + "n" * 1000, "", 2**40, -7, "file", "v" * 99] for number in range(3000)]
    said = json.dumps({"since": 1e300, "total": -5, "unread": -1, "files": rows}).encode()
    answer = await ask(Desk(Liar(said)), "changes.list", base="turn")
    found = msgspec.convert(answer.data, changes.ChangeList)
    assert (found.since, found.unread, found.total) == ("", 0, 3000)
    assert 0 < len(found.files) <= changes.MAX_FILES
    first = found.files[0]
    assert first.path.startswith("\\u202e0") and (first.additions, first.deletions) == (None, None)


@pytest.mark.parametrize("path", ["", "/", "../x", "a/../../b"])
async def test_a_path_that_leads_out_is_not_asked_for(path: str) -> None:
    for verb in ("changes.diff", "changes.revert"):
        assert (await ask(Desk(Liar()), verb, base="start", path=path)).error == "not_found"
    assert (await ask(Desk(Liar()), "changes.list", base="HEAD")).error == "invalid"


async def test_an_older_box_is_said_to_be_one() -> None:
    refusal = BoxError("unknown_order", "words")
    assert (await ask(Desk(Liar(error=refusal)), "changes.list", base="start")).error == "unavailable"
