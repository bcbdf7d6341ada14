"""What a folder takes of its disk is told as it is, whatever is put into it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sessions_app.drivers import disk_use
from tests.fakes.small_disk import small_disk

LONG = 400_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With one file that takes `LONG`, which everything else is compared with."""
    folder = tmp_path / "disk"
    folder.mkdir()
    (folder / "file").write_bytes(os.urandom(LONG))
    return folder


def test_files_count_with_what_they_take(folder: Path) -> None:
    taken = disk_use.of(folder)
    assert taken is not None and LONG <= taken < 2 * LONG


def test_what_takes_no_room_does_not_count(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(os.urandom(LONG))
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "root").symlink_to("/")
    os.link(folder / "file", folder / "again")
    with (folder / "holes").open("wb") as file:
        file.truncate(2**40)
    taken = disk_use.of(folder)
    assert taken is not None and taken < 2 * LONG


def test_another_disk_that_is_mounted_in_it_does_not_count(folder: Path) -> None:
    (folder / "mounted").mkdir()
    with small_disk(folder / "mounted", size="4m"):
        (folder / "mounted" / "file").write_bytes(os.urandom(LONG))
        taken = disk_use.of(folder)
    assert taken is not None and taken < 2 * LONG


def test_a_name_of_several_lines_is_a_name(folder: Path) -> None:
    (folder / "a\n0\ttotal\nb").write_bytes(os.urandom(LONG))
    taken = disk_use.of(folder)
    assert taken is not None and 2 * LONG <= taken < 3 * LONG


def test_a_disk_that_is_not_there_has_no_size(tmp_path: Path) -> None:
    assert disk_use.of(tmp_path / "nothing") is None


def test_what_takes_too_long_is_not_told(folder: Path) -> None:
    assert disk_use.of(folder, seconds=0) is None


def test_what_takes_too_much_memory_is_not_told(folder: Path) -> None:
    """So little that it cannot even begin: a disk that needs more than the real bound takes long to make."""
    assert disk_use.of(folder, memory_mb=1) is None


@pytest.mark.parametrize(
    ("code", "output", "complaints", "told"),
    [
        (0, b"10\thome\n20\tworkspace\n30\ttotal\n", b"", 30),
        # Something vanished while it was looked at.
        (1, b"30\ttotal\n", b"du: cannot access 'a': No such file or directory\n", 30),
        # A part of it could not be looked at, whatever its name says.
        (1, b"30\ttotal\n", b"du: cannot read directory 'a': Permission denied\n", None),
        (1, b"30\ttotal\n", b"du: cannot read 'No such file or directory': Input/output error\n", None),
        # It had no memory left.
        (1, b"", b"du: memory exhausted\n", None),
        (1, b"30\ttotal\n", b"du: fts_read failed: a: Cannot allocate memory\n", None),
        # It was ended: too long, or more complaints than are heard.
        (137, b"", b"", None),
        (-25, b"", b"du: cannot access 'a': No such file or directory\n", None),
        (0, b"", b"", None),
        (0, b"nonsense\n", b"", None),
    ],
)
def test_only_a_whole_sum_counts(code: int, output: bytes, complaints: bytes, told: int | None) -> None:
    assert disk_use.told(code, output, complaints) == told
