"""An agent that speaks ACP keeps the promises of an agent: the adapter, with a small agent of our own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from sidecar.agents.acp.recipe import Recipe, Setting
from tests.contract.agents.live_acp import LiveAcp, live_acp
from tests.contract.agents.suite import AgentContract

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


def command(setting: Setting) -> list[str]:
    return [sys.executable, "-m", "tests.fakes.acp_agent"]


def environment(setting: Setting) -> Mapping[str, str]:
    return {"BASE_URL": f"{setting.gate}/v1", "MODEL": setting.model}


FAKE = Recipe(id="fake-acp", name="Fake ACP", command=command, environment=environment)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveAcp]:
    async with live_acp(tmp_path_factory.mktemp("acp"), FAKE, "/opt/agents") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def made(shared: LiveAcp) -> AsyncIterator[LiveAcp]:
    yield shared
    await shared.rest()


class TestAcp(AgentContract):
    """Every promise."""
