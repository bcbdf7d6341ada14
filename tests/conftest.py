"""Fixtures that every test may use: the three users, and API clients that are signed in as them."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator

import httpcore2
import pytest
from django.db import connection
from hypothesis import settings
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from openagent.accounts.models import User
from openagent.lib import db as bridge
from tests.scheduling import needs_engine, pytest_xdist_make_scheduler

__all__ = ["pytest_xdist_make_scheduler"]

# How long an example takes says how busy the machine is, not what the code does.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows-only", action="store_true", help="only tests that touch the database")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Variants are left out. What takes long comes first, so that no worker is left with it in the end.

    But of what one worker does, what needs images comes last: they may have to be built meanwhile.
    """
    if config.getoption("--rows-only"):
        items[:] = [item for item in items if _touches_rows(item)]
    if not os.environ.get("OPENAGENT_VARIANTS"):
        items[:] = [item for item in items if item.get_closest_marker("variant") is None]
    items.sort(key=lambda item: (needs_engine(item.location[0]), not _takes_long(item)))


def _takes_long(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) is not None for name in ("slow", "end_to_end"))


@pytest.fixture(scope="session", autouse=True)
def _certificates() -> Iterator[None]:
    """Reading all certificates takes longer than most tests with an HTTP client: once per process will do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpcore2, "default_ssl_context", functools.cache(httpcore2.default_ssl_context))
        yield


def _touches_rows(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return (
        bool({"db", "transactional_db"} & set(fixtures)) or item.get_closest_marker("django_db") is not None
    )


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Before the test database is dropped, the connections of all threads end: PostgreSQL insists."""
    yield
    bridge.close()
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def alice(db: None) -> User:
    """Owns the thing that a test is about."""
    return User.objects.create_user("alice@example.com", "alice's password", display_name="Alice")


@pytest.fixture
def bob(db: None) -> User:
    """A second user, with things of his own."""
    return User.objects.create_user("bob@example.com", "bob's password", display_name="Bob")


@pytest.fixture
def charlie(db: None) -> User:
    """A stranger: must never learn that a thing of somebody else exists."""
    return User.objects.create_user("charlie@example.com", "charlie's password", display_name="Charlie")


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("admin@example.com", "admin's password", display_name="Admin")


def client_of(user: User | None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_login(user)
    return client


@pytest.fixture
def alice_client(alice: User) -> APIClient:
    return client_of(alice)


@pytest.fixture
def charlie_client(charlie: User) -> APIClient:
    return client_of(charlie)


@pytest.fixture
def anonymous_client(db: None) -> APIClient:
    return client_of(None)
