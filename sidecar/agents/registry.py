"""Which agents this sidecar can run, by id."""

from __future__ import annotations

from collections.abc import Callable

from sidecar.agents.acp.agent import AcpAgent
from sidecar.agents.acp.recipe import Recipe
from sidecar.agents.acp.recipes import claude, codex, copilot, custom, gemini
from sidecar.agents.base import Agent, AgentError
from sidecar.agents.opencode.agent import OpenCode
from sidecar.protocol.agent_command import AgentCommand

RECIPES: tuple[Recipe, ...] = (copilot.RECIPE, claude.RECIPE, codex.RECIPE, gemini.RECIPE)


def _acp(recipe: Recipe) -> Callable[[], Agent]:
    return lambda: AcpAgent(recipe)


_AGENTS: dict[str, Callable[[], Agent]] = {
    OpenCode.id: OpenCode,
    **{recipe.id: _acp(recipe) for recipe in RECIPES},
}


class UnknownAgent(AgentError):
    """No agent of this id is built in."""


def get_agent(agent_id: str) -> Agent:
    """A new, not yet started agent. UnknownAgent when there is none of this id."""
    make = _AGENTS.get(agent_id)
    if make is None:
        raise UnknownAgent(f"There is no agent called {agent_id[:40]!r}.")
    return make()


def custom_agent(agent_id: str, command: AgentCommand) -> Agent:
    """A new, not yet started agent that an administrator has registered."""
    return AcpAgent(custom.recipe(agent_id, command))
