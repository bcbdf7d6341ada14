"""The migrations of each app are one line: two that grew beside each other stop every start."""

from django.db.migrations.loader import MigrationLoader


def test_migrations_have_one_end_each() -> None:
    assert MigrationLoader(None).detect_conflicts() == {}
