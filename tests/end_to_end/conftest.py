"""One running product for the end-to-end tests of a worker, its owner, and the replay test after each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import needs
from tests.end_to_end.browser_fixtures import (
    another_login,
    awake,
    base_urls,
    box,
    chromium,
    login,
    open_window,
    provider,
    pytest_runtest_makereport,
    shared,
)
from tests.end_to_end.client import Client, first_run
from tests.end_to_end.replay import replayed
from tests.end_to_end.rig import Provider
from tests.end_to_end.rig_fixtures import broken, faulty
from tests.product import Product, running

# Fixtures of groups of tests and a hook of the browser tests, which pytest finds here.
__all__ = [
    "another_login",
    "awake",
    "box",
    "broken",
    "chromium",
    "faulty",
    "login",
    "open_window",
    "provider",
    "pytest_runtest_makereport",
    "shared",
]


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.end_to_end)
    item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def product(provider: Provider) -> Iterator[Product]:
    """The platform with the process driver and real OpenCode; providers that need a key are `provider`."""
    needs.bubblewrap()
    needs.opencode()
    with running(
        OPENAGENT_DRIVER="process",
        OPENAGENT_PROVIDER_BASE_URLS=base_urls(provider),
        # Tests leave sessions behind, until these fall asleep.
        OPENAGENT_LIVE_SESSIONS_PER_USER="50",
    ) as started:
        assert started.url
        yield started


@pytest.fixture(scope="session")
def owner(product: Product) -> Iterator[Client]:
    """The first account's API."""
    client = first_run(product.url, "admin", "write")
    yield client
    client.close()


@pytest.fixture
def client(owner: Client) -> Iterator[Client]:
    """The same, and afterwards the replay test: folding each log gives what the API says."""
    with replayed(owner):
        yield owner
