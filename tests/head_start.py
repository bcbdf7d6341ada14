"""Gives a test's product the database and the static files that `prepare` makes of nothing.

To make them costs more than all else that a first start prepares, and they come out the same each time: they
hold no secret, no account and nothing about their place. Everything else a product still makes itself, and
its own `prepare` runs on these. tests/openagent/management/test_up.py has one that starts from nothing.
"""

from __future__ import annotations

import base64
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from openagent.lib.data_dir import CHECKOUT, DataDir

_PLACE = Path(tempfile.gettempdir()) / f"openagent-tests-prepared-{os.getuid()}"
# The files that decide what comes out.
_DECISIVE = (
    "*_app/migrations/*.py",
    "openagent/*/migrations/*.py",
    "openagent/settings.py",
    "openagent/management/commands/prepare.py",
    "requirements/platform.txt",
)


def give(data: Path, *, database: bool = True) -> None:
    """Puts both into a data directory that nothing has run in yet; without `database`, the files only."""
    _PLACE.mkdir(mode=0o700, exist_ok=True)
    made, own = DataDir(_PLACE / "made"), DataDir(data)
    # Held while it is copied, too: other tests, also those of another checkout, may want it made anew.
    with (_PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _bring_up_to_date(made)
        # A start that needs other static files removes these before it makes its own, so links are enough.
        shutil.copytree(made.static, own.static, copy_function=_link)
        if database:
            shutil.copy(made.database, own.database)


def _bring_up_to_date(made: DataDir) -> None:
    stamp, key = made.root / "made-from", _key()
    if stamp.exists() and stamp.read_text() == key:
        return
    # Of other sources, or left unfinished.
    if made.root.exists():
        shutil.rmtree(made.root)
    made.static.mkdir(mode=0o700, parents=True)
    environment = {
        **without_settings(),
        "OPENAGENT_DATA_DIR": str(made.root),
        "OPENAGENT_SECRET_KEY": secrets.token_urlsafe(50),
        "OPENAGENT_KEYS_KEK": base64.b64encode(secrets.token_bytes(32)).decode(),
        "DATABASE_URL": "",
    }
    subprocess.run(
        [sys.executable, "manage.py", "prepare"], cwd=CHECKOUT, env=environment, umask=0o077, check=True
    )
    # With a log beside it, the file alone would not be all of the database.
    assert not list(made.root.glob(f"{made.database.name}-*"))
    stamp.write_text(key)


def without_settings() -> dict[str, str]:
    """Our environment without what the test settings have put into it for this process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAGENT_")}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    return kept


def _key() -> str:
    digest = hashlib.sha256()
    for file in sorted(file for pattern in _DECISIVE for file in CHECKOUT.glob(pattern)):
        digest.update(f"{file.relative_to(CHECKOUT)}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _link(source: str, destination: str) -> None:
    """A copy where the destination is on another disk."""
    try:
        os.link(source, destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copy2(source, destination)
