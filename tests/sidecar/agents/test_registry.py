"""Agents by id."""

from __future__ import annotations

import pytest

from sidecar.agents import registry
from sidecar.agents.opencode.agent import OpenCode


def test_agents_are_found_by_id() -> None:
    assert isinstance(registry.get_agent("opencode"), OpenCode)
    assert registry.get_agent("opencode") is not registry.get_agent("opencode")


def test_an_unknown_agent_is_refused() -> None:
    with pytest.raises(registry.UnknownAgent, match="'nothing'"):
        registry.get_agent("nothing")
