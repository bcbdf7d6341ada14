"""An agent that speaks ACP keeps the promises of an agent: the adapter, with a small agent of our own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

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


# It ends when it is to take up a session that it does not have, as real ones may.
STRICT = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    assert asked["method"] != "session/load"
    able = {"protocolVersion": 1, "agentCapabilities": {"loadSession": True}, "sessionId": "one"}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": able}), flush=True)
"""


async def test_what_other_programs_say_at_a_start_is_no_session_of_last_time(tmp_path: Path) -> None:
    recipe = Recipe(
        id="strict",
        name="Strict",
        command=lambda setting: [sys.executable, "-c", STRICT],
        before="echo 'fatal: detected dubious ownership in repository'",
    )
    async with live_acp(tmp_path, recipe, "/opt/agents") as running:
        assert not running.recorder.agent.resumed
