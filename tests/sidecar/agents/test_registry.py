"""Agents by id."""

from __future__ import annotations

import pytest

from sidecar.agents import registry
from sidecar.agents.acp.agent import AcpAgent
from sidecar.agents.opencode.agent import OpenCode


def test_agents_are_found_by_id() -> None:
    assert isinstance(registry.get_agent("opencode"), OpenCode)
    assert registry.get_agent("opencode") is not registry.get_agent("opencode")


@pytest.mark.parametrize("agent_id", ["claude", "codex", "copilot", "gemini"])
def test_agents_that_speak_acp_are_recipes(agent_id: str) -> None:
    agent = registry.get_agent(agent_id)
    assert isinstance(agent, AcpAgent)
    assert agent.id == agent_id


def test_an_unknown_agent_is_refused() -> None:
    with pytest.raises(registry.UnknownAgent, match="'nothing'"):
        registry.get_agent("nothing")
