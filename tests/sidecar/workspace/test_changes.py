"""What changed in a workspace, asked of a real box program with a real git."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sidecar.box import staging
from sidecar.box.files import FileError
from sidecar.box.shadow import Shadow
from sidecar.protocol import changes, frames, queries
from sidecar.workspace.changes import Changes
from sidecar.workspace.files import Desk
from tests.fakes.local_box import LocalBox, local_box


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[LocalBox]:
    async with local_box(tmp_path) as box:
        yield box


async def ask(desk: Desk, verb: queries.Verb, **data: Any) -> frames.Answer:
    answer = await desk.answer(frames.Query(id="q", verb=verb, data=data))
    assert len(frames.encode(answer)) < frames.MAX_FRAME_BYTES
    return answer


async def listed(desk: Desk, base: str = "start") -> dict[str, changes.ChangedFile]:
    answer = await ask(desk, "changes.list", base=base)
    assert not answer.error, answer.message
    return {file.path: file for file in msgspec.convert(answer.data, changes.ChangeList).files}


async def patch_of(desk: Desk, path: str, **more: Any) -> str:
    answer = await ask(desk, "changes.diff", base="start", path=path, **more)
    assert not answer.error, answer.message
    return msgspec.convert(answer.data, changes.ChangeDiff).patch.decode()


async def revert(desk: Desk, base: str, path: str, old_path: str = "") -> frames.Answer:
    return await ask(desk, "changes.revert", base=base, path=path, old_path=old_path)


def fill(workspace: Path) -> None:
    for name in ("kept", "edited", "gone", "moved"):
        (workspace / name).write_text(f"{name}\n" * 20)


async def test_every_change_is_listed_whoever_made_it_and_shown(box: LocalBox) -> None:
    fill(box.workspace)
    desk = Desk(box.server)
    await desk.changes.begin()
    (box.workspace / "edited").write_text("edited\n" * 20 + "more\n")
    (box.workspace / "gone").unlink()
    (box.workspace / "moved").rename(box.workspace / "there")
    (box.workspace / "new").write_text("one\ntwo\n")
    (box.workspace / "bytes").write_bytes(b"\0\1\2")
    files = await listed(desk)
    assert {path: file.status for path, file in files.items()} == {
        "bytes": "added",
        "edited": "modified",
        "gone": "deleted",
        "new": "added",
        "there": "renamed",
    }
    assert (files["new"].additions, files["new"].deletions, files["new"].binary) == (2, 0, False)
    assert files["bytes"].binary and files["bytes"].additions is None
    assert files["there"].old_path == "moved"
    assert "\n+more\n" in await patch_of(desk, "edited")
    assert "rename from moved" in await patch_of(desk, "there", old_path="moved")
    assert len(await patch_of(desk, "edited", context=100)) > len(await patch_of(desk, "edited"))


async def test_a_turn_has_a_base_of_its_own_and_the_start_stays(box: LocalBox) -> None:
    desk = Desk(box.server)
    await desk.changes.begin()
    assert (await ask(desk, "changes.list", base="turn")).error == "unavailable"
    (box.workspace / "first").write_text("1\n")
    await desk.changes.turn()
    assert await listed(desk, "turn") == {}
    (box.workspace / "second").write_text("2\n")
    assert set(await listed(desk, "turn")) == {"second"}
    # Another instance of the same session: it began when it began.
    await Changes(box.server).begin()
    assert set(await listed(desk)) == {"first", "second"}


async def test_a_file_is_put_back_and_that_is_taken_back(box: LocalBox) -> None:
    fill(box.workspace)
    desk = Desk(box.server)
    await desk.changes.begin()
    (box.workspace / "edited").write_text("other\n")
    (box.workspace / "moved").rename(box.workspace / "there")
    (box.workspace / "new").write_text("new\n")
    for path, old_path in (("edited", ""), ("there", "moved"), ("new", "")):
        answer = await revert(desk, "start", path, old_path)
        undo = msgspec.convert(answer.data, changes.ChangeReverted).undo
        assert path not in await listed(desk)
        await revert(desk, undo, path, old_path)
        assert path in await listed(desk)
    assert (box.workspace / "edited").read_text() == "other\n"
    assert (box.workspace / "there").exists() and not (box.workspace / "moved").exists()
    assert (await revert(desk, "start", "kept")).error == ""
    assert (await revert(desk, "start", "nothing")).error == "not_found"


async def test_the_users_own_repository_is_left_alone(box: LocalBox) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=b", "-c", "maintenance.auto=false"]
    git += ["-C", str(box.workspace)]
    fill(box.workspace)
    (box.workspace / ".gitignore").write_text("built\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        await asyncio.to_thread(subprocess.run, [*git, *words], check=True)
    desk = Desk(box.server)
    await desk.changes.begin()
    before = sorted(path.relative_to(box.workspace) for path in (box.workspace / ".git").rglob("*"))
    (box.workspace / "built").write_text("not mine to compare\n")
    (box.workspace / "edited").write_text("committed or not\n")
    assert set(await listed(desk)) == {"edited"}
    assert before == sorted(path.relative_to(box.workspace) for path in (box.workspace / ".git").rglob("*"))
    await asyncio.to_thread(subprocess.run, [*git, "commit", "-q", "-a", "-m", "second"], check=True)
    assert set(await listed(desk)) == {"edited"}


async def test_nothing_of_the_workspace_is_run_or_followed(box: LocalBox, tmp_path: Path) -> None:
    desk, mark = Desk(box.server), tmp_path / "ran"
    await desk.changes.begin()
    (box.workspace / ".gitattributes").write_text("* filter=evil diff=evil text eol=crlf ident\n")
    nested = box.workspace / "nested"
    nested.mkdir()
    git = ["git", "-c", "user.name=a", "-c", "user.email=b", "-C", str(nested)]
    for words in (
        ["init", "-q"],
        ["commit", "-q", "--allow-empty", "-m", "x"],
        ["config", "core.fsmonitor", f"touch {mark}"],
    ):
        await asyncio.to_thread(subprocess.run, [*git, *words], check=True)
    # As the box's user could have it for all of its own git.
    command = f"sh -c 'touch {mark}; cat'"
    (box.home / ".gitconfig").write_text(
        f'[filter "evil"]\n clean = {command}\n smudge = {command}\n'
        f'[diff "evil"]\n textconv = {command}\n command = {command}\n[core]\n fsmonitor = touch {mark}\n'
    )
    (tmp_path / "secret").write_text("outside\n")
    (box.workspace / "link").symlink_to(tmp_path / "secret")
    (box.workspace / "folder").symlink_to(tmp_path)
    os.mkfifo(box.workspace / "fifo")
    (box.workspace / "text").write_bytes(b"$Id$\r\nline\r\n")
    files = await listed(desk)
    assert {path: file.kind for path, file in files.items()} == {
        ".gitattributes": "file",
        "folder": "link",
        "link": "link",
        "nested": "repository",
        "text": "file",
    }
    assert "outside" not in await patch_of(desk, "link")
    assert "+line\r\n" in await patch_of(desk, "text")
    (nested / "more").write_text("x")
    await listed(desk)
    answer = await revert(desk, "start", "text")
    await revert(desk, msgspec.convert(answer.data, changes.ChangeReverted).undo, "text")
    assert (box.workspace / "text").read_bytes() == b"$Id$\r\nline\r\n"
    assert (await revert(desk, "start", "nested")).error == "not_kept"
    assert not mark.exists()


async def test_a_folder_that_became_a_link_is_not_looked_through(box: LocalBox, tmp_path: Path) -> None:
    (box.workspace / "src").mkdir()
    (box.workspace / "src" / "a").write_text("inside\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("outside\n")
    desk = Desk(box.server)
    await desk.changes.begin()
    (box.workspace / "src" / "a").unlink()
    (box.workspace / "src").rmdir()
    (box.workspace / "src").symlink_to(tmp_path / "out")
    assert {path: file.status for path, file in (await listed(desk)).items()} == {
        "src": "added",
        "src/a": "deleted",
    }
    await revert(desk, "start", "src/a")
    assert (tmp_path / "out" / "a").read_text() == "outside\n"


@pytest.mark.parametrize(
    "name", [b"-rf", b":(glob)*", b"line\nbreak", b"\xff\xfe", b'tab\tquote"back\\slash', b"a" * 255, b"*"]
)
async def test_hostile_names_mean_nothing_but_themselves(box: LocalBox, name: bytes) -> None:
    fill(box.workspace)
    desk = Desk(box.server)
    await desk.changes.begin()
    (box.workspace / "edited").write_text("other\n")
    path = os.path.join(os.fsencode(box.workspace), name)
    with open(path, "wb") as file:
        file.write(b"content\n")
    [shown] = set(await listed(desk)) - {"edited"}
    assert "\n" not in shown and "+content\n" in await patch_of(desk, shown)
    assert (await revert(desk, "start", shown)).error == ""
    assert not os.path.exists(path) and set(await listed(desk)) == {"edited"}


async def test_a_huge_file_is_told_of_and_not_read(box: LocalBox) -> None:
    desk = Desk(box.server)
    await desk.changes.begin()
    huge = box.workspace / "huge"
    huge.touch()
    os.truncate(huge, 200 * 1024 * 1024)
    first = (await listed(desk))["huge"]
    assert first.binary and first.status == "added"
    os.truncate(huge, 201 * 1024 * 1024)
    assert (await listed(desk))["huge"].version != first.version
    assert (await revert(desk, "start", "huge")).error == "not_kept" and huge.exists()
    kept = sum(path.stat().st_size for path in box.home.rglob("*") if path.is_file())
    assert kept < 1024 * 1024
    huge.write_text("small now\n")
    assert not (await listed(desk))["huge"].binary
    huge.unlink()
    assert await listed(desk) == {}


async def test_a_long_diff_is_cut_at_a_line(box: LocalBox) -> None:
    desk = Desk(box.server)
    await desk.changes.begin()
    (box.workspace / "long").write_text("line\n" * 200_000)
    answer = await ask(desk, "changes.diff", base="start", path="long")
    diff = msgspec.convert(answer.data, changes.ChangeDiff)
    assert diff.truncated and len(diff.patch) <= changes.MAX_PATCH_BYTES and diff.patch.endswith(b"+line\n")


@pytest.mark.variant
async def test_fifty_thousand_files_are_remembered_in_bounded_time(box: LocalBox) -> None:
    for number in range(50_000):
        folder = box.workspace / f"d{number // 500}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.txt").write_text(f"{number}\n")
    desk = Desk(box.server)
    await desk.changes.begin()
    (box.workspace / "d3" / "1501.txt").write_text("other\n")
    assert set(await listed(desk)) == {"d3/1501.txt"}
    for number in range(3000):
        (box.workspace / f"new{number}").write_text("x\n")
    answer = msgspec.convert((await ask(desk, "changes.list", base="start")).data, changes.ChangeList)
    assert answer.total == 3001 and len(answer.files) == changes.MAX_FILES


async def test_what_is_too_much_is_refused(box: LocalBox) -> None:
    for number in range(5):
        (box.workspace / str(number)).write_text("x\n")
    desk = Desk(box.server)
    # As a box has it: here, and not in another process.
    shadow = Shadow(str(box.workspace), str(box.home / "shadow"))
    shadow.prepare()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(staging, "MAX_NEW_FILES", 4)
        with pytest.raises(FileError, match="too_large"):
            await asyncio.to_thread(staging.stage, shadow, asyncio.get_running_loop().time() + 30)
    answer = await ask(desk, "changes.list", base="start")
    assert (answer.error, bool(answer.message)) == ("unavailable", True)
