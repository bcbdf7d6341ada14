"""Which agents this sidecar can run, by id."""

from __future__ import annotations

from sidecar.agents.base import Agent, AgentError
from sidecar.agents.opencode.agent import OpenCode

_AGENTS: dict[str, type[Agent]] = {OpenCode.id: OpenCode}


class UnknownAgent(AgentError):
    """No agent of this id is built in."""


def get_agent(agent_id: str) -> Agent:
    """A new, not yet started agent. UnknownAgent when there is none of this id."""
    agent = _AGENTS.get(agent_id)
    if agent is None:
        raise UnknownAgent(f"There is no agent called {agent_id[:40]!r}.")
    return agent()
