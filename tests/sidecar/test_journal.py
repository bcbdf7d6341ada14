"""Writing the journal: nothing appended is lost, nothing acknowledged is kept, and a bad disk is survived."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from sidecar import journal, segments
from tests.fakes.disk import BadDisk


def event(seq: int, size: int = 10) -> bytes:
    return json.dumps({"v": 1, "seq": seq, "pad": "x" * size}).encode()


def opened(directory: Path, **options: object) -> journal.Journal:
    book = journal.Journal(directory, **options)  # type: ignore[arg-type]
    book.open(session="s", gen=1, instance="i", first=1)
    return book


def on_disk(directory: Path) -> list[int]:
    """The numbers that are on the disk, in the order of the files."""
    return [
        seq for name in segments.names(directory) for seq, _ in segments.read(directory / str(name)).events
    ]


async def test_what_is_appended_is_on_the_disk_at_once(tmp_path: Path) -> None:
    book = opened(tmp_path)
    book.append([event(1), event(2)])
    book.append([event(3)])
    assert on_disk(tmp_path) == [1, 2, 3]
    await book.close()


async def test_files_are_readable_by_nobody_else(tmp_path: Path) -> None:
    book = opened(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    await book.close()


async def test_acknowledged_segments_are_removed_and_the_rest_stays(tmp_path: Path) -> None:
    book = opened(tmp_path, segment_bytes=300)
    for seq in range(1, 101):
        book.append([event(seq, size=50)])
        if seq > 20:
            book.acknowledge(seq - 10, freed=80)
        assert len(segments.names(tmp_path)) <= 12
    kept = on_disk(tmp_path)
    assert kept == list(range(kept[0], 101))
    assert kept[0] > 80
    await book.close()


async def test_closing_notes_what_is_stored(tmp_path: Path) -> None:
    book = opened(tmp_path)
    book.append([event(1), event(2)])
    book.acknowledge(2, freed=50)
    book.note_command(7)
    await book.close()
    (name,) = segments.names(tmp_path)
    mark = segments.read(tmp_path / str(name)).mark
    assert (mark.stored, mark.command) == (2, 7)
    assert [path.name for path in tmp_path.iterdir()] == [str(name)]


async def test_large_acknowledgements_are_noted_at_once(tmp_path: Path) -> None:
    book = opened(tmp_path)
    book.append([event(1)])
    book.acknowledge(1, freed=journal.MARK_BYTES)
    (name,) = segments.names(tmp_path)
    assert segments.read(tmp_path / str(name)).mark.stored == 1
    await book.close()


async def test_sync_returns_when_the_disk_has_it(tmp_path: Path) -> None:
    bad = BadDisk(tmp_path)
    book = opened(tmp_path, disk=bad.disk())
    book.append([event(1)])
    await book.sync()
    assert len(bad.synced) == 1
    await book.sync()
    assert len(bad.synced) == 1
    await book.close()


async def test_a_write_is_synced_soon_without_being_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SYNC_SECONDS", 0.01)
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    def sync(_file: int) -> None:
        loop.call_soon_threadsafe(done.set)

    book = opened(tmp_path, disk=journal.Disk(sync=sync))
    book.append([event(1)])
    await asyncio.wait_for(done.wait(), 5)
    await book.close()


@pytest.mark.parametrize("room", range(0, 140, 7))
async def test_a_full_disk_keeps_all_or_nothing_of_an_append(tmp_path: Path, room: int) -> None:
    bad = BadDisk(tmp_path)
    book = opened(tmp_path, disk=bad.disk())
    book.append([event(1)])
    bad.room = room
    with pytest.raises(journal.JournalUnwritable):
        book.append([event(2, 30), event(3, 30)])
    assert on_disk(tmp_path) == [1]
    bad.room = 1 << 20
    book.append([event(2, 30), event(3, 30)])
    assert on_disk(tmp_path) == [1, 2, 3]
    await book.close()


async def test_a_full_disk_at_a_new_segment_leaves_the_old_one_in_use(tmp_path: Path) -> None:
    bad = BadDisk(tmp_path)
    book = opened(tmp_path, disk=bad.disk(), segment_bytes=150)
    book.append([event(1, 200)])
    bad.room = 20
    with pytest.raises(journal.JournalUnwritable):
        book.append([event(2)])
    assert len(segments.names(tmp_path)) == 1
    bad.room = 1 << 20
    book.append([event(2)])
    assert on_disk(tmp_path) == [1, 2]
    await book.close()


async def test_the_reserve_is_real_space_that_can_be_given_back(tmp_path: Path) -> None:
    book = opened(tmp_path)
    reserve = tmp_path / journal.RESERVE_NAME
    assert reserve.stat().st_blocks * 512 >= journal.RESERVE_BYTES
    book.use_reserve()
    assert not reserve.exists()
    book.use_reserve()
    book.restore_reserve()
    assert reserve.exists()
    await book.close()


async def test_after_a_failed_sync_everything_unacknowledged_is_written_again(tmp_path: Path) -> None:
    bad = BadDisk(tmp_path)
    book = opened(tmp_path, disk=bad.disk())
    book.append([event(1), event(2), event(3)])
    book.acknowledge(1, freed=30)
    bad.failing_syncs = 1
    with pytest.raises(journal.JournalUnwritable):
        await book.sync()
    book.rewrite([event(2), event(3)])
    book.append([event(4)])
    await book.sync()
    assert on_disk(tmp_path) == [1, 2, 3, 2, 3, 4]
    await book.close()


async def test_a_generation_that_is_not_the_newest_is_refused(tmp_path: Path) -> None:
    book = opened(tmp_path)
    await book.close()
    for gen in (1, 0):
        with pytest.raises(journal.JournalConflict):
            journal.Journal(tmp_path).open(session="s", gen=gen, instance="i", first=1)


async def test_a_directory_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(journal.JournalUnwritable, match="No such file"):
        opened(tmp_path / "gone")


async def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("precious")
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume" / journal.RESERVE_NAME).symlink_to(target)
    book = opened(tmp_path / "volume")
    assert target.read_text() == "precious"
    await book.close()
