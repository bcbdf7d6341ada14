"""Files are whole or not there, locks wait with an end, and errors say what to do."""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path

import pytest

from sessions_app.drivers import files
from sessions_app.drivers.base import DriverError


def test_json_is_replaced_in_one_step(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    files.write_json(file, {"n": 1})
    files.write_json(file, {"n": 2}, mode=0o400)
    assert files.read_json(file) == {"n": 2}
    assert file.stat().st_mode & 0o777 == 0o400
    assert list(tmp_path.iterdir()) == [file]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.json"
    files.write_json(file, {"n": 1})

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_json(file, {"n": 2})
    assert files.read_json(file) == {"n": 1}
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"5", b"\xff"])
def test_what_is_no_object_counts_as_absent(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(content)
    assert files.read_json(file) is None
    assert files.read_json(tmp_path / "absent") is None
    assert files.read_json(file / "below") is None


def test_a_lock_is_held_by_one_and_waited_for_with_an_end(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with files.locked(lock, seconds=5):
        with pytest.raises(DriverError) as caught, files.locked(lock, seconds=0.1):
            raise AssertionError
        assert (caught.value.code, caught.value.permanent) == ("busy", False)
    with files.locked(lock, seconds=0):
        pass


def test_many_threads_take_turns(tmp_path: Path) -> None:
    counter = tmp_path / "counter.json"
    files.write_json(counter, {"n": 0})

    def add() -> None:
        for _ in range(20):
            with files.locked(tmp_path / "lock", seconds=90):
                content = json.loads(counter.read_text())
                files.write_json(counter, {"n": content["n"] + 1})

    threads = [threading.Thread(target=add) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files.read_json(counter) == {"n": 100}


def test_a_lock_that_was_deleted_meanwhile_is_taken_anew(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    entered = threading.Event()

    def wait() -> None:
        with files.locked(lock, seconds=30):
            assert lock.exists()
            entered.set()

    with files.locked(lock, seconds=5):
        thread = threading.Thread(target=wait)
        thread.start()
        assert not entered.wait(0.2)
        lock.unlink()
    thread.join(10)
    assert entered.is_set()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named(tmp_path: Path, number: int) -> None:
    with pytest.raises(DriverError, match="is full") as caught, files.explained(tmp_path):
        raise OSError(number, "x")
    assert (caught.value.code, caught.value.permanent) == ("disk_full", True)


@pytest.mark.parametrize(
    ("number", "permanent"), [(errno.EACCES, True), (errno.EROFS, True), (errno.EIO, False)]
)
def test_other_refusals_name_the_file(tmp_path: Path, number: int, permanent: bool) -> None:
    with (
        pytest.raises(DriverError, match="/some/file cannot be used: why") as caught,
        files.explained(tmp_path),
    ):
        raise OSError(number, "why", "/some/file")
    assert (caught.value.code, caught.value.permanent) == ("data_dir", permanent)


def test_a_folder_gets_its_mode_in_any_umask(tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        files.make_folder(tmp_path / "a", mode=0o711)
    finally:
        os.umask(umask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o711
    (tmp_path / "a" / "kept").touch()
    files.make_folder(tmp_path / "a", mode=0o700)
    assert (tmp_path / "a" / "kept").exists() and (tmp_path / "a").stat().st_mode & 0o777 == 0o700
