"""The catalogue of coding agents, as data: what each can do and which providers' APIs it can use."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from openagent.lib.errors import AppError


@dataclass(frozen=True, kw_only=True)
class Agent:
    """One agent; `package` is what pins its version in deploy/agents/package.json."""

    id: str
    name: str
    package: str
    wires: tuple[str, ...]
    capabilities: Mapping[str, bool]
    survives_resume: Mapping[str, bool]

    @property
    def version(self) -> str:
        return _pinned().get(self.package, "")


class UnknownAgent(AppError):
    """No agent of the catalogue has this id."""

    def __init__(self) -> None:
        message = f"There is no such agent; choose one of: {', '.join(_BY_ID)}."
        error = {"message": message, "code": "unknown_agent"}
        super().__init__("unknown_agent", message, 400, errors={"agent": [error]})


_CATALOGUE = (
    Agent(
        id="opencode",
        name="OpenCode",
        package="@opencode-ai/plugin",
        wires=("openai-chat", "openai-responses", "anthropic", "google"),
        capabilities={
            "permissions": True,
            "questions": True,
            "plan": True,
            "thoughts": True,
            "modes": True,
            "subagents": True,
            "diffs": True,
            "interrupt": True,
        },
        # The conversation is in the agent's own database on the session's disk; processes end with the box.
        survives_resume={"files": True, "conversation": True, "processes": False},
    ),
)
_BY_ID = {agent.id: agent for agent in _CATALOGUE}

DEFAULT = _CATALOGUE[0].id


def every() -> tuple[Agent, ...]:
    """The catalogue, in the order in which it is shown."""
    return _CATALOGUE


def get(agent_id: str) -> Agent:
    """The agent with this id, or UnknownAgent."""
    try:
        return _BY_ID[agent_id]
    except KeyError:
        raise UnknownAgent from None


@functools.cache
def _pinned() -> dict[str, str]:
    manifest: dict[str, Any] = json.loads((settings.BASE_DIR / "deploy/agents/package.json").read_text())
    return {**manifest.get("optionalDependencies", {}), **manifest.get("dependencies", {})}
