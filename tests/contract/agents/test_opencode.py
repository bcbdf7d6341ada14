"""The real OpenCode keeps the promises of an agent."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.contract.agents.live_opencode import LiveOpenCode
from tests.contract.agents.suite import AgentContract

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]


@pytest_asyncio.fixture(loop_scope="package")
async def made(opencode: LiveOpenCode) -> LiveOpenCode:
    return opencode


class TestOpenCode(AgentContract):
    """Every promise."""
