"""What a sidecar is told of an agent that an administrator has registered."""

from __future__ import annotations

import msgspec


class AgentCommand(msgspec.Struct, kw_only=True):
    """An agent that an administrator has registered: a program in the box that speaks ACP."""

    name: str
    argv: list[str]
    environment: dict[str, str] = {}
