"""A product in which agents rest after a second, and sessions that nobody keeps awake sleep after a few."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.end_to_end.client import Client, first_run
from tests.end_to_end.custom_agents import register_working
from tests.product import Product, running

IDLE_SECONDS = 3.0


@pytest.fixture(scope="session")
def drowsy(kind: type[Product]) -> Iterator[Client]:
    """The API of its owner."""
    idle = f"{IDLE_SECONDS:g}"
    with running(make=kind, OPENAGENT_IDLE_SECONDS=idle, OPENAGENT_DOZE_SECONDS="1") as product:
        client = first_run(product.url, "admin", "write")
        register_working(product.url)
        yield client
        client.close()
