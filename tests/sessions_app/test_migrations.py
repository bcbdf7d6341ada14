"""What migrations do to rows that are there already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from pytest_django import DjangoDbBlocker

OLD = [("sessions_app", "0012_agent_rests")]
"""Before sessions had a network policy."""


@pytest.fixture
def old(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[MigrationExecutor]:
    """An installation of then: for a while its database stands in for the one of the tests."""
    of_tests = connections["default"]
    connections["default"] = DatabaseWrapper(
        {**connections.settings["default"], "NAME": str(tmp_path / "old.sqlite3"), "OPTIONS": {}}, "default"
    )
    try:
        with django_db_blocker.unblock():
            MigrationExecutor(connection).migrate(OLD)
            yield MigrationExecutor(connection)
            connection.close()
    finally:
        connections["default"] = of_tests


def test_sessions_that_were_there_before_reach_nothing(old: MigrationExecutor) -> None:
    before = old.loader.project_state(OLD).apps
    owner = before.get_model("accounts", "User").objects.create(email="a@example.com")
    before.get_model("sessions_app", "Session").objects.create(
        owner=owner, agent="opencode", provider="demo", model="demo"
    )
    sessions = old.migrate([("sessions_app", "0013_egress")]).apps.get_model("sessions_app", "Session")
    row = sessions.objects.get()
    assert (row.egress_policy, row.egress_ask) == ("none", False)
    assert (sessions().egress_policy, sessions().egress_ask) == ("allow-list", True), "new ones are open"
