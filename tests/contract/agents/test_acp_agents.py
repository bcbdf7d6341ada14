"""Every promise of an agent, checked on every real agent that speaks ACP; `make conformance` does it.

A promise that the catalogue says an agent does not keep must fail for it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sessions_app.services import agent_limits
from sidecar.agents import registry
from tests import needs
from tests.contract.agents.live_acp import LiveAcp, live_acp
from tests.contract.agents.suite import AgentContract

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="class"),
    pytest.mark.skipif("OPENAGENT_CONFORMANCE" not in os.environ, reason="make conformance runs it"),
]

WIRES = {"copilot": "openai-chat", "claude": "anthropic", "codex": "openai-responses", "gemini": "google"}
RECIPES = {recipe.id: recipe for recipe in registry.RECIPES}


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LiveAcp]:
    agent = request.cls.agent
    agents = laid_out(tmp_path_factory.mktemp("agents"), agent)
    folder = tmp_path_factory.mktemp(agent)
    async with live_acp(folder, RECIPES[agent], agents, wire=WIRES[agent]) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="class")
async def made(request: pytest.FixtureRequest, shared: LiveAcp) -> AsyncIterator[LiveAcp]:
    limits = agent_limits.LIMITS.get(request.cls.agent, {})
    promise = request.node.originalname.removeprefix("test_")
    if reason := limits.get(request.node.name.removeprefix("test_")) or limits.get(promise):
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    # Boxes have walls, the one of these tests has none.
    Path("/tmp/outside-the-workspace.txt").unlink(missing_ok=True)
    yield shared
    await shared.rest()


class TestCopilot(AgentContract):
    agent = "copilot"


class TestClaude(AgentContract):
    agent = "claude"


class TestCodex(AgentContract):
    agent = "codex"


class TestGemini(AgentContract):
    agent = "gemini"


def laid_out(folder: Path, agent: str) -> str:
    """The installed packages as a box sees them; links, because they are large."""
    for name in (agent, "node"):
        packages = needs.agent(agent).parents[1] / name / "node_modules"
        (folder / name).mkdir()
        (folder / name / "node_modules").symlink_to(packages)
    return str(folder)
