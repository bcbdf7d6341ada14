"""What the suite needs of an agent that a test has made."""

from __future__ import annotations

from typing import Protocol

from tests.contract.agents.recorder import Recorder


class Made(Protocol):
    """An agent that runs, and what can be done to it from outside."""

    recorder: Recorder

    def runs(self) -> bool:
        """Whether the agent's process is there."""

    def clear(self) -> None:
        """Empty the workspace."""

    async def crash(self) -> None:
        """Kill the agent's process."""

    async def successor(self) -> Recorder:
        """End the agent, and start another one on the same disk."""
