"""One running product for the end-to-end tests of a worker, its owner, and the replay test after each."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests import needs
from tests.container_product import ContainerProduct
from tests.docker_fixtures import BUILD_SECONDS, container_engine, real_images
from tests.end_to_end import chosen_agent
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
from tests.end_to_end.drowsy import drowsy
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
    "container_engine",
    "drowsy",
    "faulty",
    "login",
    "open_window",
    "provider",
    "pytest_runtest_makereport",
    "real_images",
    "shared",
]


DRIVER = os.environ.get("OPENAGENT_TEST_DRIVER", "process")
"""What the instances of the products are that tests share."""


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.end_to_end)
    item.add_marker(pytest.mark.timeout(BUILD_SECONDS if DRIVER == "docker" else 300))


@pytest.fixture(scope="session")
def kind(request: pytest.FixtureRequest) -> type[Product]:
    """How the products that tests share are made, and what they need is there."""
    needs.opencode()
    chosen_agent.require()
    if DRIVER == "docker":
        request.getfixturevalue("real_images")
        return ContainerProduct
    assert DRIVER == "process", f"there is no product of tests with the driver {DRIVER}"
    needs.bubblewrap()
    return Product


@pytest.fixture(scope="session")
def product(kind: type[Product], provider: Provider) -> Iterator[Product]:
    """The platform with real OpenCode; providers that need a key are `provider`."""
    with running(
        make=kind,
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
