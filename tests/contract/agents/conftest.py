"""One running OpenCode for all tests of this folder that need none of their own: starting takes seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.agents.live_opencode import LiveOpenCode, live_opencode


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def shared_opencode(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveOpenCode]:
    async with live_opencode(tmp_path_factory.mktemp("opencode")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="package")
async def opencode(shared_opencode: LiveOpenCode) -> AsyncIterator[LiveOpenCode]:
    """The shared one; no turn is open when a test begins."""
    yield shared_opencode
    await shared_opencode.rest()
