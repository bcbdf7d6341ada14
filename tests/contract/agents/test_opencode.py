"""The real OpenCode keeps the promises of an agent. One server serves all tests of this module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.agents.live_opencode import LiveOpenCode, live_opencode
from tests.contract.agents.suite import AgentContract

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveOpenCode]:
    async with live_opencode(tmp_path_factory.mktemp("opencode")) as live:
        yield live


@pytest_asyncio.fixture(loop_scope="module")
async def made(shared: LiveOpenCode) -> AsyncIterator[LiveOpenCode]:
    yield shared
    await shared.rest()


class TestOpenCode(AgentContract):
    """Every promise."""
