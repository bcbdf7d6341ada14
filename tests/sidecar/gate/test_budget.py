"""A call that the budget does not allow never reaches the provider, and the agent is told why."""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager

import pytest

from sidecar.gate.allowance import Exceeded
from tests.sidecar.demo_model.asking import WIRES, Asking, by_name
from tests.sidecar.gate.boxside import NAMES, agent, box_side, provider
from tests.sidecar.gate.provider import fake_provider, whole


class Refusing(AbstractAsyncContextManager[None]):
    """What is around each call: none may begin."""

    def __init__(self, exceeded: Exceeded) -> None:
        self._exceeded = exceeded

    async def __aenter__(self) -> None:
        raise self._exceeded

    async def __aexit__(self, *_: object) -> None:
        """It was never entered."""


def used_up() -> Refusing:
    return Refusing(Exceeded("The budget is used up: 1,500 of 1,500 tokens."))


def unknown() -> Refusing:
    return Refusing(Exceeded("Nobody says so.", permanent=False))


@pytest.mark.parametrize("asking", WIRES, ids=by_name)
async def test_a_call_beyond_the_budget_goes_nowhere(asking: Asking) -> None:
    async with fake_provider(whole(200, b"{}")) as upstream:
        served = provider(asking.name, f"{upstream.url}/v1")
        async with box_side(served, allowed=used_up) as side, agent(side) as client:
            path = f"/{NAMES[asking.name]}{asking.path(stream=True)}"
            answer = await client.post(path, json=asking.body("hello", stream=True))
            assert answer.status_code == 402
            assert "does not allow" in answer.text
            # Some agents look for a status in the words, and would ask again.
            assert not re.search("429|50[0-9]", answer.text)
            assert upstream.received == []
        (error,) = side.errors
        assert (error.error_class, "1,500 tokens" in error.message) == ("budget_exceeded", True)


async def test_a_platform_that_does_not_answer_is_a_passing_failure() -> None:
    async with fake_provider(whole(200, b"{}")) as upstream:
        served = provider("openai-chat", f"{upstream.url}/v1")
        async with box_side(served, allowed=unknown) as side, agent(side) as client:
            answer = await client.post("/groq/v1/chat/completions", json={"model": "m"})
            assert (answer.status_code, upstream.received) == (503, [])
        assert [error.error_class for error in side.errors] == ["provider_unavailable"]


async def test_what_costs_nothing_is_not_asked_about() -> None:
    async with fake_provider(whole(200, b"{}")) as upstream:
        served = provider("openai-chat", f"{upstream.url}/v1")
        async with box_side(served, allowed=used_up) as side, agent(side) as client:
            assert (await client.get("/groq/v1/models")).status_code == 200
