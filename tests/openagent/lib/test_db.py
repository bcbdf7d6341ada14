"""The bridge from async code to the database has threads of its own."""

from __future__ import annotations

import asyncio
import threading

import pytest
from django.db import connection

from openagent.accounts.models import User
from openagent.lib import db, log


@pytest.mark.django_db(transaction=True)
async def test_what_it_writes_is_there_and_its_errors_come_back() -> None:
    user = await db.run(User.objects.create_user, "dora@example.com", display_name="Dora")
    assert await db.run(User.objects.get, pk=user.pk) == user
    with pytest.raises(User.DoesNotExist):
        await db.run(User.objects.get, email="nobody@example.com")


async def test_a_slow_call_delays_no_other() -> None:
    released = threading.Event()
    slow = asyncio.create_task(db.run(released.wait, 30))
    assert await db.run(lambda: 1) == 1
    assert not slow.done()
    released.set()
    assert await slow


async def test_ids_of_the_log_go_along() -> None:
    import structlog

    with log.context(session="s-1"):
        assert (await db.run(structlog.contextvars.get_contextvars))["session_id"] == "s-1"


@pytest.mark.django_db(transaction=True)
async def test_sqlite_is_in_wal_mode_on_every_connection() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("this is about SQLite")

    def pragma(name: str) -> object:
        with connection.cursor() as cursor:
            return cursor.execute(f"PRAGMA {name}").fetchone()[0]

    assert await db.run(pragma, "journal_mode") == "wal"
    assert await db.run(pragma, "synchronous") == 2
    assert await db.run(pragma, "foreign_keys") == 1
