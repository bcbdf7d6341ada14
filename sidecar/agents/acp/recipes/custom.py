"""Any program that speaks ACP, as an administrator has described it."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.agents.acp.recipe import Recipe, Setting
from sidecar.protocol.agent_command import AgentCommand


def recipe(agent_id: str, command: AgentCommand) -> Recipe:
    """Its recipe; in the texts of its environment what a session knows is filled in."""

    def environment(setting: Setting) -> Mapping[str, str]:
        return {name: _filled(text, setting) for name, text in command.environment.items()}

    return Recipe(
        id=agent_id,
        name=command.name,
        command=lambda setting: [_filled(word, setting) for word in command.argv],
        environment=environment,
    )


def _filled(text: str, setting: Setting) -> str:
    known = {
        "{gate}": setting.gate,
        "{home}": setting.context.home,
        "{model}": setting.model,
        "{token}": setting.context.token,
    }
    for name, value in known.items():
        text = text.replace(name, value)
    return text
