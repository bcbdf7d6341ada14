"""The agent that the tests of the main job work with: OpenCode, or the one that OPENAGENT_TEST_AGENT names.

What the published table says that it cannot do is left out, with the reason that stands there.
"""

from __future__ import annotations

import os

import pytest

from sessions_app.services import agent_limits
from tests import needs

OPENCODE = "opencode"
AGENT = os.environ.get("OPENAGENT_TEST_AGENT", OPENCODE)
_LIMITS = agent_limits.LIMITS.get(AGENT, {})
ASKS = "it_asks_before_it_runs_a_command"
PLANS = "it_publishes_its_plan"
SHOWS_TOOLS = "it_tells_of_its_tools"
THINKS = "it_streams_its_thoughts_apart"


def can(promise: str) -> bool:
    """Whether the table says so."""
    assert promise in agent_limits.PROMISES, promise
    return promise not in _LIMITS


def only_if_it(promise: str) -> pytest.MarkDecorator:
    """Skips a test of what the agent cannot do."""
    return pytest.mark.skipif(not can(promise), reason=f"{AGENT}: {_LIMITS.get(promise, '')}")


WITHOUT = frozenset() if can(PLANS) else frozenset({"todo"})
"""The actions of scripts for which it offers its model no tool."""

TITLES = 1 if AGENT == "claude" else 0
"""The calls of its model that it makes for a title when a conversation begins."""


def require() -> None:
    """Its programs are there."""
    if AGENT == OPENCODE:
        needs.opencode()
    else:
        needs.agent(AGENT)
