"""What is particular about one agent, as data: how it is started, told its provider, and kept asking."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sidecar.agents.base import AgentContext

AGENTS = "/opt/agents"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """All that a recipe may look at: where the agents are, the session, and the model that is chosen.

    `login` is a secret, there when the agent itself is started and its plan's login has to be in the box.
    """

    context: AgentContext
    model: str
    folder: str = AGENTS
    login: str = field(default="", repr=False)

    @property
    def gate(self) -> str:
        """Where the provider's API is in the box, without its version."""
        return f"http://127.0.0.1:{self.context.gate_port}/{self.context.provider.id}"

    @property
    def machine(self) -> str:
        """The box's kind of processor, as Node's packages call it; the sidecar runs on the same."""
        return "arm64" if platform.machine() == "aarch64" else "x64"

    @property
    def node(self) -> str:
        """The Node.js for agents that are written in JavaScript."""
        return f"{self.folder}/node/node_modules/node-linux-{self.machine}/bin/node"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One agent. Functions get what is known when it starts; what they answer is worth nothing, but a login.

    `screen` is the command of its own interface for a terminal, if it has one; it may be told the id of the
    session that is open, to begin with a copy of it.
    `files` are paths below the home directory with their contents, written at each start; `before` is a
    piece of shell that makes the agent's own files ready then. `modes` names the
    agent's own mode for those of ours that need one; "ask" is the one in which it asks for everything that
    matters. `authenticate` is the method to call after `initialize`, if it needs one, and
    `session` more to say when a session is made or taken up. `remarks` are what the program itself says for
    people in the midst of an answer or as a tool's output, as a pattern for the whole of it: left out.
    `manifest` is where the version of the program itself stands, when the adapter only tells its own: a
    package.json below the agents' folder, and the name there.
    `ends_commands` is false of one whose commands go on when it is told to stop: it is ended for that.
    """

    id: str
    name: str
    command: Callable[[Setting], list[str]]
    screen: Callable[[Setting, str], list[str]] | None = None
    environment: Callable[[Setting], Mapping[str, str]] = lambda setting: {}
    files: Callable[[Setting], Mapping[str, str]] = lambda setting: {}
    before: str = ""
    modes: Mapping[str, str] = field(default_factory=dict)
    authenticate: str = ""
    session: Mapping[str, Any] = field(default_factory=dict)
    remarks: str = ""
    ends_commands: bool = True
    manifest: tuple[str, str] | None = None
