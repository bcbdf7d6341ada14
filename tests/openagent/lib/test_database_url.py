"""DATABASE_URL becomes Django's database setting."""

from __future__ import annotations

import pytest

from openagent.lib import database_url
from openagent.lib.env import SettingError


def test_sqlite_takes_the_write_lock_early_and_survives_a_power_cut() -> None:
    parsed = database_url.parse("sqlite:///var/lib/a%20place/db.sqlite3", pool_size=5)
    assert parsed["NAME"] == "/var/lib/a place/db.sqlite3"
    assert parsed["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in parsed["OPTIONS"]["init_command"]
    assert "synchronous=FULL" in parsed["OPTIONS"]["init_command"]


def test_postgres_has_a_pool_and_passes_its_options_on() -> None:
    url = "postgres://me:p%40ss@db.example:5433/open%20agent?sslmode=require"
    parsed = database_url.parse(url, pool_size=5)
    assert (parsed["USER"], parsed["PASSWORD"], parsed["HOST"]) == ("me", "p@ss", "db.example")
    assert (parsed["PORT"], parsed["NAME"]) == ("5433", "open agent")
    assert parsed["OPTIONS"]["sslmode"] == "require"
    assert parsed["OPTIONS"]["pool"]["max_size"] == 5


@pytest.mark.parametrize(
    "url", ["mysql://me:hunter2@db/name", "sqlite://relative.db", "sqlite:///", "hunter2"]
)
def test_anything_else_is_refused_without_repeating_the_password(url: str) -> None:
    with pytest.raises(SettingError) as refusal:
        database_url.parse(url, pool_size=5)
    assert "hunter2" not in str(refusal.value)
