"""Turns DATABASE_URL into Django's database setting: SQLite tuned for many small writes, or PostgreSQL."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from openagent.lib.env import SettingError

# Readers and one writer at a time go on together in WAL mode; FULL because a sidecar forgets an event once
# we have acknowledged it, so a commit must survive a power cut.
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
    "PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864"
)


def parse(url: str, *, pool_size: int) -> dict[str, Any]:
    """`sqlite:///absolute/path` or `postgres://user:password@host:port/name?sslmode=...`.

    The URL may hold a password, so no message repeats it.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(unquote(parts.path))
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.removeprefix("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {
                **dict(parse_qsl(parts.query)),
                "pool": {"min_size": 1, "max_size": pool_size, "timeout": 10},
            },
        }
    raise SettingError("DATABASE_URL must begin with sqlite:// or postgres://.")


def _sqlite(path: str) -> dict[str, Any]:
    if not path.startswith("/") or path == "/":
        raise SettingError("DATABASE_URL must name an absolute file: sqlite:///path/to/file.")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            # Taking the write lock at the start of a transaction is what makes the timeout count: a lock that
            # is upgraded in the middle fails at once.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": _SQLITE_PRAGMAS,
        },
    }
