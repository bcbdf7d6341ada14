"""A stopped installation is saved whole and comes back the same; half a backup is never taken for one."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openagent.lib.data_dir import DataDir
from openagent.management import backup, preparation
from openagent.management.preparation import CannotStart
from tests import needs, postgres
from tests.product import data_directory

HOLE = 64 * 2**20


@pytest.fixture
def place() -> Iterator[Path]:
    with data_directory() as root:
        yield root


@pytest.fixture
def data(place: Path, monkeypatch: pytest.MonkeyPatch) -> DataDir:
    """An installation with a row, a session's disk and what every start makes."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    data = DataDir(place / "data")
    preparation.make_directories(data)
    preparation.make_secrets(data)
    with closing(sqlite3.connect(data.database)) as rows, rows:
        rows.execute("PRAGMA journal_mode=WAL")
        rows.execute("CREATE TABLE kept (what TEXT)")
        rows.execute("INSERT INTO kept VALUES ('a row')")
    workspace = data.root / "volumes" / "one" / "workspace"
    workspace.mkdir(parents=True)
    (workspace / "hello.txt").write_text("hello")
    (workspace / "hello.txt").chmod(0o640)
    (workspace / "link").symlink_to("hello.txt")
    if os.geteuid() == 0:
        os.chown(workspace / "hello.txt", 1_234_567, 1_234_567)
    with (data.root / "disk.ext4").open("wb") as disk:
        disk.truncate(HOLE)
    for left_out in (data.logs / "web.log", data.static / "x.css", data.run / "supervisor.conf"):
        left_out.write_text("made anew")
    return data


def names(file: Path) -> set[str]:
    with tarfile.open(file) as archive:
        return set(archive.getnames())


def test_it_comes_back_as_it_was(data: DataDir, place: Path) -> None:
    folder, again = place / "backup", DataDir(place / "again")
    backup.save(data, folder)
    (again.agents / "opencode").mkdir(parents=True)
    said = backup.restore(again, folder)
    assert str(again.root) in said[0]
    with closing(sqlite3.connect(again.database)) as rows:
        assert rows.execute("SELECT what FROM kept").fetchall() == [("a row",)]
    old, new = (each.root / "volumes" / "one" / "workspace" for each in (data, again))
    assert (new / "hello.txt").read_text() == "hello" and os.readlink(new / "link") == "hello.txt"
    was, now = ((each / "hello.txt").stat() for each in (old, new))
    assert (was.st_uid, was.st_gid, was.st_mode) == (now.st_uid, now.st_gid, now.st_mode)
    disk = (again.root / "disk.ext4").stat()
    assert disk.st_size == HOLE and disk.st_blocks * 512 < HOLE / 10
    assert again.key_encryption_key.read_text() == data.key_encryption_key.read_text()
    assert stat.S_IMODE(again.root.stat().st_mode) == 0o711
    assert not list(again.logs.iterdir()) and not list(again.static.iterdir())


def test_what_opens_keys_is_in_a_file_of_its_own(data: DataDir, place: Path) -> None:
    folder = place / "backup"
    (said,) = backup.save(data, folder)
    assert "Keep secrets.tar apart" in said
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not [name for name in names(folder / "data.tar") if "secret" in name or "key-encryption" in name]
    assert "secrets/key-encryption-key" in names(folder / "secrets.tar")
    assert data.key_encryption_key.read_bytes().strip() not in (folder / "data.tar").read_bytes()


def test_one_that_runs_is_not_saved(data: DataDir, place: Path) -> None:
    lock = preparation.take_lock(data)
    try:
        with pytest.raises(CannotStart, match="already runs"):
            backup.save(data, place / "backup")
    finally:
        os.close(lock)
    assert not (place / "backup").exists()


def test_nothing_that_is_there_is_overwritten(data: DataDir, place: Path) -> None:
    folder = place / "backup"
    backup.save(data, folder)
    with pytest.raises(CannotStart, match="is there already"):
        backup.save(data, folder)
    with pytest.raises(CannotStart, match="not empty"):
        backup.restore(data, folder)


@pytest.mark.parametrize("missing", ["data.tar", "secrets.tar"])
def test_half_a_backup_is_not_brought_back(data: DataDir, place: Path, missing: str) -> None:
    folder, again = place / "backup", DataDir(place / "again")
    backup.save(data, folder)
    (folder / missing).unlink()
    with pytest.raises(CannotStart, match=missing):
        backup.restore(again, folder)
    assert not again.root.exists()


def test_a_backup_that_was_interrupted_is_none(
    data: DataDir, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAR_OPTIONS", "--no-such-option")
    with pytest.raises(CannotStart, match="tar failed"):
        backup.save(data, place / "backup")
    assert not list((place / "backup").glob("*.tar"))


def test_the_commands_say_what_is_wrong(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = ["--data-dir", str(place / "nowhere")]
    assert backup.save_main([str(place / "backup"), *nowhere]) == 1
    assert "There is no installation" in capsys.readouterr().err
    assert backup.restore_main([str(place / "backup"), *nowhere]) == 1
    assert "data.tar is not there" in capsys.readouterr().err


def test_rows_in_postgresql_come_back_too(
    data: DataDir, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = needs.postgres()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    def psql(url: str, statement: str) -> str:
        command = [str(programs / "psql"), url, "--tuples-only", "--no-align", "--command", statement]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    folder, again = place / "backup", DataDir(place / "again")
    with postgres.server() as url:
        psql(url, "CREATE TABLE kept AS SELECT 'a row' AS what")
        monkeypatch.setenv("DATABASE_URL", url)
        backup.save(data, folder)
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(CannotStart, match="PostgreSQL's"):
        backup.restore(again, folder)
    with postgres.server() as url:
        monkeypatch.setenv("DATABASE_URL", url)
        backup.restore(again, folder)
        assert psql(url, "SELECT what FROM kept") == "a row"
