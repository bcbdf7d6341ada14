"""One running OpenCode for all tests of this folder that need none of their own: starting takes seconds.

And the promises of a class that are its `variants`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.agents.live_opencode import LiveOpenCode, live_opencode


def pytest_itemcollected(item: pytest.Item) -> None:
    """What a class inherits is marked for that class only."""
    if isinstance(item, pytest.Function) and item.name in getattr(item.cls, "variants", ()):
        item.add_marker(pytest.mark.variant)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def shared_opencode(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveOpenCode]:
    async with live_opencode(tmp_path_factory.mktemp("opencode")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="package")
async def opencode(shared_opencode: LiveOpenCode) -> AsyncIterator[LiveOpenCode]:
    """The shared one; no turn is open when a test begins."""
    yield shared_opencode
    await shared_opencode.rest()
