"""The catalogue of coding agents: the built-in ones, as data, and what administrators have registered."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from keys_app.providers import Provider
from openagent.lib.errors import AppError
from sessions_app.models import CustomAgent
from sessions_app.services import agent_limits
from sidecar.protocol import frames
from sidecar.protocol.agent_command import AgentCommand


@dataclass(frozen=True, kw_only=True)
class Agent:
    """One agent; `package` is the agent itself in the package-lock.json of `folder` below deploy/agents.

    `wires` are the APIs of providers that it speaks, the best first. `limits` are its known limits, each with
    its reason, by the name of the promise that it does not keep. `command` is a registered one's.
    """

    id: str
    name: str
    package: str = ""
    folder: str = ""
    wires: tuple[str, ...]
    capabilities: Mapping[str, bool]
    survives_resume: Mapping[str, bool]
    notes: tuple[str, ...] = ()
    command: AgentCommand | None = None
    limits: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Its own, not that of an adapter that brings it along; nobody knows a registered one's."""
        return (
            ""
            if self.is_custom
            else _pinned(settings.BASE_DIR / "deploy" / "agents" / self.folder, self.package)
        )

    @property
    def is_custom(self) -> bool:
        return self.command is not None

    @property
    def is_installed(self) -> bool:
        """Whether its programs are laid out for boxes; of a registered one nobody knows."""
        return self.is_custom or (settings.OPENAGENT_AGENTS_DIR / self.id).is_dir()

    @property
    def known_limits(self) -> list[dict[str, str]]:
        """What it cannot do, in words."""
        titles = agent_limits.PROMISES
        return [
            {"promise": titles[name.partition("[")[0]], "reason": reason}
            for name, reason in self.limits.items()
        ]

    def provider(self, provider: Provider, own_base_url: str = "") -> frames.Provider:
        """What the sidecar is told of `provider`: the scripted model speaks whatever the agent speaks."""
        frame = provider.frame(own_base_url)
        if not provider.needs_key and self.wires and frame.wire not in self.wires:
            frame.wire = self.wires[0]  # type: ignore[assignment]
        return frame

    def can_use(self, provider: Provider) -> bool:
        """Whether it speaks the provider's API, and may use what that takes as a key."""
        if provider.kind != "models" or (provider.agents and self.id not in provider.agents):
            return False
        return not provider.needs_key or not self.wires or provider.wire in self.wires


class UnknownAgent(AppError):
    """No agent of the catalogue has this id."""

    def __init__(self) -> None:
        message = f"There is no such agent; choose one of: {', '.join(agent.id for agent in every())}."
        error = {"message": message, "code": "unknown_agent"}
        super().__init__("unknown_agent", message, 400, errors={"agent": [error]})


_SCREENS = ("screen", "shared_screen")
"""An interface of its own for a terminal, and one that shows the session's conversation itself."""
_ALL = (
    *("permissions", "questions", "plan", "thoughts", "modes", "subagents", "diffs", "interrupt"),
    *_SCREENS,
)


_WAITING = frozenset({"opencode"})
"""Those that can be started before it is known for whom; others are told the model at their start."""


def can_wait(agent_id: str) -> bool:
    """Whether the pool can have members of it."""
    return agent_id in _WAITING


def _built_in(agent_id: str, name: str, package: str, wires: tuple[str, ...], without: set[str]) -> Agent:
    return Agent(
        id=agent_id,
        name=name,
        package=package,
        folder="" if agent_id == "opencode" else agent_id,
        wires=wires,
        capabilities={capability: capability not in without for capability in _ALL},
        survives_resume=agent_limits.left(agent_id),
        notes=agent_limits.NOTES.get(agent_id, ()),
        limits=agent_limits.LIMITS.get(agent_id, {}),
    )


_BUILT_IN = (
    _built_in(
        "opencode",
        "OpenCode",
        "@opencode-ai/plugin",
        ("openai-chat", "openai-responses", "anthropic", "google"),
        without=set(),
    ),
    _built_in(
        "copilot",
        "GitHub Copilot CLI",
        "@github/copilot-linux-x64",
        ("openai-chat", "openai-responses", "anthropic"),
        without={"questions", "plan", "subagents", "shared_screen"},
    ),
    _built_in(
        "claude",
        "Claude Code",
        "@anthropic-ai/claude-agent-sdk",
        ("anthropic",),
        without={"plan", "shared_screen"},
    ),
    _built_in(
        "codex",
        "Codex",
        "@openai/codex",
        ("openai-responses",),
        without={"plan", "subagents", "diffs", "shared_screen"},
    ),
    _built_in(
        "gemini",
        "Gemini CLI",
        "@google/gemini-cli",
        ("google",),
        without={"questions", "plan", "subagents", "shared_screen"},
    ),
)
DEFAULT = _BUILT_IN[0].id


def every() -> tuple[Agent, ...]:
    """The catalogue, in the order in which it is shown."""
    registered = CustomAgent.objects.filter(is_enabled=True).order_by("name", "slug")
    return (*_BUILT_IN, *(_registered(row) for row in registered))


def get(agent_id: str) -> Agent:
    """The agent with this id for a new session, or UnknownAgent."""
    agent = find(agent_id)
    if agent is None or (agent.is_custom and not CustomAgent.objects.filter(pk=agent_id, is_enabled=True)):
        raise UnknownAgent
    return agent


def find(agent_id: str) -> Agent | None:
    """The agent of a session that exists, which may have been taken out of the catalogue meanwhile."""
    for agent in _BUILT_IN:
        if agent.id == agent_id:
            return agent
    row = CustomAgent.objects.filter(pk=agent_id).first()
    return _registered(row) if row else None


def is_built_in(agent_id: str) -> bool:
    """Whether this is the id of an agent that nobody has to register."""
    return any(agent.id == agent_id for agent in _BUILT_IN)


def _registered(row: CustomAgent) -> Agent:
    return Agent(
        id=row.slug,
        name=row.name,
        wires=tuple(row.wires),
        # What it really does shows when it runs: the protocol does not say it before.
        capabilities={capability: capability not in _SCREENS for capability in _ALL},
        survives_resume=agent_limits.left(row.slug),
        notes=("Registered by an administrator of this installation.",),
        command=AgentCommand(name=row.name, argv=row.command, environment=row.environment),
    )


@functools.cache
def _pinned(folder: Path, package: str) -> str:
    """That of the package, or what `deploy/agents/pin` wrote down where the agent has another."""
    manifest = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    if written := manifest.get("config", {}).get("program"):
        return str(written)
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    return str(lock["packages"][f"node_modules/{package}"]["version"])
