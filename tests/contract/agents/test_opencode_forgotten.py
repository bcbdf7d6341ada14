"""Prompts that reach a real OpenCode at the wrong moment: it takes them and forgets them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sidecar.agents.opencode import watch
from sidecar.agents.opencode.client import Client
from tests.contract.agents.live_opencode import LiveOpenCode, said

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]


async def test_a_prompt_that_opencode_took_and_forgot_is_given_again_and_answered_once(
    opencode: LiveOpenCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LEFT_SECONDS", 0.5)
    given: list[tuple[str, Any]] = []
    post = Client.post

    async def forgotten(client: Client, path: str, body: Any = None, **options: Any) -> Any:
        if path.endswith("/prompt_async"):
            given.append((path, body))
            body = body if len(given) > 1 else {**body, "noReply": True}
        return await post(client, path, body, **options)

    monkeypatch.setattr(Client, "post", forgotten)
    opencode.demo.exchanges.clear()
    turn = await opencode.recorder.prompt("/demo plain")
    ours = given[0][0].removesuffix("/prompt_async")
    async with asyncio.timeout(20):
        while not any(map(_is_prompt, await opencode.intruder.get(f"{ours}/message?limit=1"))):
            await asyncio.sleep(0.05)
    # With nothing to abort it says that it is idle.
    await opencode.intruder.post(f"{ours}/abort")
    await opencode.recorder.finish(turn)
    assert turn.text == said("/demo plain")
    assert len(given) == 2
    # And once more, which is once too often.
    await opencode.intruder.post(*given[1])
    following = await opencode.recorder.run("/demo plain")
    assert following.text == said("/demo plain")
    assert len(opencode.demo.exchanges) == 2


async def test_the_next_prompt_waits_for_an_abort_that_is_on_its_way(
    opencode: LiveOpenCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    post = Client.post

    async def slow(client: Client, path: str, body: Any = None, **options: Any) -> Any:
        order.append(verb := path.rpartition("/")[2])
        answer = await post(client, path, body, **options)
        if verb == "abort":
            await asyncio.sleep(2.0)
            order.append("answered")
        return answer

    monkeypatch.setattr(Client, "post", slow)
    turn = await opencode.recorder.prompt("/demo long 5000 20ms")
    await opencode.recorder.until(turn, "message.delta")
    cancelling = asyncio.create_task(opencode.recorder.agent.cancel(turn.id))
    await opencode.recorder.finish(turn)
    following = await opencode.recorder.run("/demo plain")
    assert following.text == said("/demo plain")
    assert order == ["prompt_async", "abort", "answered", "prompt_async"]
    await cancelling


def _is_prompt(message: Any) -> bool:
    return bool(message["info"]["role"] == "user")
