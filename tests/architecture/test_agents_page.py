"""docs/agents.md says what the tests of agents say, and every promise has a name for people."""

from __future__ import annotations

from sessions_app.services import agent_limits, agents
from tests.contract.agents import table
from tests.contract.agents.suite import AgentContract


def test_the_page_has_the_table_of_today() -> None:
    command = "python -m tests.contract.agents.table"
    assert table.PAGE.read_text() == table.page(), f"what agents do has changed: run `{command}`"


def test_every_promise_is_a_test_and_every_test_a_promise() -> None:
    tests = {name.removeprefix("test_") for name in dir(AgentContract) if name.startswith("test_")}
    assert tests == set(agent_limits.PROMISES)


def test_limits_are_of_agents_and_promises_that_exist() -> None:
    for agent, limits in agent_limits.LIMITS.items():
        assert agents.is_built_in(agent)
        assert {name.partition("[")[0] for name in limits} <= set(agent_limits.PROMISES)
