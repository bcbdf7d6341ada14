"""A real OpenCode for one test each: hangs, silence, successors, taken ports, and the model APIs.

Variants are what end-to-end tests show of the real OpenCode too, and further kinds of a fault: hangs and
taken ports are shown by variants only.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from sidecar.protocol.frames import Offer, Provider
from tests.contract.agents.live_opencode import DEMO, git_log, live_opencode, said
from tests.contract.agents.recorder import allow

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]


@pytest.mark.variant
async def test_a_hang_is_found_and_the_next_prompt_works(tmp_path: Path) -> None:
    async with live_opencode(tmp_path, hang_seconds=20.0) as live:
        turn = await live.recorder.run("/demo silence 120s")
        assert turn.text.startswith("I say this")
        assert turn.error is not None
        assert turn.error.error_class == "agent_hang"
        assert (await live.recorder.run("/demo plain")).text == said("/demo plain")


@pytest.mark.variant
async def test_a_silent_provider_is_asked_again(tmp_path: Path) -> None:
    async with live_opencode(tmp_path, silence_seconds=2.0) as live:
        turn = await live.recorder.prompt("/demo silence 120s")
        retrying = await live.recorder.until(turn, "agent.status")
        assert retrying.status == "retrying"
        assert "timed out" in retrying.message
        await live.recorder.agent.cancel(turn.id)
        await live.recorder.finish(turn)


@pytest.mark.variant
async def test_a_successor_leaves_the_interrupted_past_alone(tmp_path: Path) -> None:
    async with live_opencode(tmp_path) as live:
        turn = await live.recorder.prompt("/demo tools 100 100ms", mode="auto")
        await live.recorder.until(turn, "tool.output")
        await live.crash()
        await live.recorder.finish(turn)
        assert turn.tool("execute").status == "interrupted"
        recorder = await live.successor()
        assert recorder.agent.resumed
        assert len(git_log(live.workspace, "%H").split()) == 1
        live.box.cut()
        following = await recorder.run("/demo plain")
        assert following.tools == {}
        assert following.text == said("/demo plain")
        asked = [
            each["content"] for each in live.demo.exchanges[-1].body["messages"] if each["role"] == "user"
        ]
        assert any("/demo tools" in json.dumps(content) for content in asked), "the conversation is kept"


@pytest.mark.variant
async def test_a_taken_port_is_passed_over(tmp_path: Path) -> None:
    async with live_opencode(tmp_path) as live:
        await live.recorder.agent.close()
        with socket.create_server(("127.0.0.1", live.installation.port)):
            recorder = await live.successor()
            assert (await recorder.run("/demo plain")).text == said("/demo plain")


@pytest.mark.parametrize(
    ("provider", "wire"),
    [
        pytest.param("openai", "openai-responses", marks=pytest.mark.variant),
        ("anthropic", "anthropic"),
        pytest.param("google", "google", marks=pytest.mark.variant),
        pytest.param("mistral", "openai-chat", marks=pytest.mark.variant),
    ],
)
async def test_every_model_api_plays_a_whole_turn_of_a_server_that_waited_for_it(
    tmp_path: Path, provider: str, wire: Any
) -> None:
    told = Provider(id=provider, name=provider.title(), wire=wire, base_url="", needs_key=True)
    offers = (Offer(provider=DEMO, models=["demo"]), Offer(provider=told, models=["a-new-model"]))
    async with live_opencode(tmp_path, gated=told, offers=offers) as live:
        agent = live.recorder.agent
        other = Provider(id="other", name="Other", wire=wire, base_url="")
        assert not await agent.adopt(provider=other, model="a-new-model", mode="ask")
        assert await agent.adopt(provider=told, model="a-new-model", mode="ask")
        turn = await live.recorder.run("/demo work", allow)
        assert turn.text == said("/demo work")
        assert turn.tool("execute").status == "completed"
        assert {exchange.key for exchange in live.demo.exchanges} == {"the-real-key-of-this-test"}
        assert {exchange.wire for exchange in live.demo.exchanges} == {wire}
        failed = await live.recorder.run("/demo error401")
        assert failed.error is not None
        assert failed.error.error_class == "provider_auth"
