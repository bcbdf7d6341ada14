"""Saves an installation that is stopped, and brings it back: `manage.py backup` and `manage.py restore`.

A backup is a folder: `data.tar` is the data directory without what every start makes anew, `secrets.tar` what
provider keys are opened with (keep it somewhere else), `database.dump` the rows where PostgreSQL has them,
`volumes/` the disks and journals that are volumes of the container engine.
What is there by its last name is complete.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from openagent.lib import data_dir, database_url, env
from openagent.lib.data_dir import DataDir
from openagent.management import preparation, volumes
from openagent.management.preparation import CannotStart

_DATA, _SECRETS, _DUMP, _VOLUMES = "data.tar", "secrets.tar", "database.dump", "volumes"
# Sockets and locks, logs, and what `make up` makes of the checkout.
_LEFT_OUT = ("run", "logs", "static", "agents", "secrets")
# Users of sessions have no names, and disks are files with holes.
_AS_IT_IS = ("--numeric-owner", "--sparse", "--xattrs")


class Failed(CannotStart):
    """Why there is no backup, or nothing was brought back, and what to do about it."""


def save_main(arguments: Sequence[str]) -> int:
    """The command `backup`."""
    return _command(arguments, "Saves an installation that is stopped.", save)


def restore_main(arguments: Sequence[str]) -> int:
    """The command `restore`."""
    return _command(arguments, "Brings an installation back from a backup.", restore)


def save(data: DataDir, folder: Path) -> list[str]:
    """Make the folder and fill it; what to tell. Failed when the platform runs, or the folder is not new."""
    if not data.secret_key.exists():
        raise Failed(f"There is no installation in {data.root}. Name its directory with --data-dir.")
    rows = _rows(data)
    with closing(_Lock(data)):
        _make(folder)
        # First, for without the files below nothing is brought back.
        if installation := _installation(data):
            volumes.save(installation, folder / _VOLUMES)
        leaving = [f"--exclude=./{name}" for name in _LEFT_OUT]
        _complete(folder / _DATA, lambda to: _tar("--create", to, *leaving, "-C", str(data.root), "."))
        _complete(folder / _SECRETS, lambda to: _tar("--create", to, "-C", str(data.root), data.secrets.name))
        if rows is not None:
            _complete(
                folder / _DUMP, lambda to: _postgres(rows, "pg_dump", "--format=custom", f"--file={to}")
            )
    return [f"Saved {data.root} in {folder}. Keep {_SECRETS} apart from the rest."]


def restore(data: DataDir, folder: Path) -> list[str]:
    """Fill a data directory that is not there yet; what to tell. Failed when a part of the backup is away."""
    rows = _rows(data)
    wanted = [folder / _DATA, folder / _SECRETS, *([folder / _DUMP] if rows is not None else [])]
    if missing := next((file for file in wanted if not file.exists()), None):
        raise Failed(f"{missing} is not there: without it the installation would not be what it was.")
    if rows is None and (folder / _DUMP).exists():
        raise Failed("The rows of this backup are PostgreSQL's: give DATABASE_URL of an empty database.")
    # `make images`, which goes before where disks are volumes, puts the agents there.
    if data.root.exists() and any(path != data.agents for path in data.root.iterdir()):
        raise Failed(f"{data.root} is not empty. Choose another directory with --data-dir.")
    if (folder / _VOLUMES).exists():
        volumes.check(folder / _VOLUMES)
    preparation.make_directories(data)
    with closing(_Lock(data)):
        if rows is not None:
            options = ("--no-owner", "--exit-on-error", "--single-transaction", "--dbname", str(rows["NAME"]))
            _postgres(rows, "pg_restore", *options, str(folder / _DUMP))
        for name in (_DATA, _SECRETS):
            _tar("--extract", folder / name, "--preserve-permissions", "-C", str(data.root))
        if (folder / _VOLUMES).exists():
            volumes.restore(_installation(data), folder / _VOLUMES)
    return [f"Restored {data.root}. Start it with: make up DATA_DIR={data.root}"]


def _command(arguments: Sequence[str], description: str, work: Callable[[DataDir, Path], list[str]]) -> int:
    parser = argparse.ArgumentParser(prog="manage.py", description=description)
    parser.add_argument("folder", type=Path, help="the folder of the backup")
    parser.add_argument("--data-dir", type=Path, default=data_dir.current().root)
    options = parser.parse_args(arguments)
    os.umask(0o077)
    try:
        said = work(DataDir(options.data_dir.expanduser().absolute()), options.folder.absolute())
    except (CannotStart, env.SettingError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(said))
    return 0


class _Lock:
    """Nothing runs on the data directory until it is closed."""

    def __init__(self, data: DataDir) -> None:
        data.run.mkdir(exist_ok=True)
        self._descriptor = preparation.take_lock(data)

    def close(self) -> None:
        os.close(self._descriptor)


def _rows(data: DataDir) -> dict[str, Any] | None:
    """Where PostgreSQL has the rows; None when they are in the data directory."""
    url = env.secret("DATABASE_URL", required=False)
    if not url:
        return None
    found = database_url.parse(url, pool_size=1)
    if found["ENGINE"].endswith("postgresql"):
        return found
    if not Path(found["NAME"]).resolve().is_relative_to(data.root.resolve()):
        raise Failed("DATABASE_URL names a file outside of the data directory: it is yours to save.")
    return None


def _installation(data: DataDir) -> str:
    """What the engine's volumes are named after; empty when no session has ever had any."""
    if not data.installation.exists():
        return ""
    return str(json.loads(data.installation.read_text())["id"])


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise Failed(f"{folder} is there already. Name a new folder.") from None
    except OSError as error:
        raise Failed(f"Cannot make {folder}: {error.strerror}.") from None


def _complete(file: Path, write: Callable[[Path], None]) -> None:
    unfinished = file.with_name(f".{file.name}.unfinished")
    write(unfinished)
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.rename(file)


def _tar(what: str, file: Path, *more: str) -> None:
    _run(["tar", what, f"--file={file}", *_AS_IT_IS, *more], env.inherited())


def _postgres(rows: dict[str, Any], program: str, *arguments: str) -> None:
    """Runs a program of PostgreSQL's; the password is not among its arguments, where others could see it."""
    known = {f"PG{key}": str(rows[key]) for key in ("HOST", "PORT", "USER", "PASSWORD") if rows[key]}
    known["PGDATABASE"] = str(rows["NAME"])
    if sslmode := rows["OPTIONS"].get("sslmode"):
        known["PGSSLMODE"] = str(sslmode)
    if shutil.which(program) is None:
        raise Failed(f"There is no {program}. Install PostgreSQL's client programs.")
    _run([program, *arguments], {**env.inherited(), **known})


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise Failed(f"{command[0]} failed:\n{last}")
