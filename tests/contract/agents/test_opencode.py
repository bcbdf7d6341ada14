"""The real OpenCode keeps the promises of an agent."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.contract.agents.live_opencode import LiveOpenCode
from tests.contract.agents.suite import AgentContract

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]


@pytest_asyncio.fixture(loop_scope="package")
async def made(opencode: LiveOpenCode) -> LiveOpenCode:
    return opencode


class TestOpenCode(AgentContract):
    """Every promise; end-to-end tests show the variants too, or another of the same promise is left."""

    variants = (
        "test_a_crash_ends_the_turn_and_the_next_prompt_works",
        "test_a_permission_for_the_session_is_not_asked_again",
        "test_a_prompt_that_comes_while_it_goes_to_rest_is_answered",
        "test_a_successor_takes_up_the_conversation",
        "test_a_turn_can_be_cancelled[while it has a question]",
        "test_a_turn_can_be_cancelled[while it waits for the provider]",
        "test_an_unknown_model_is_said_to_be_that",
    )
