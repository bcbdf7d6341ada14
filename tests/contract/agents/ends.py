"""How turns end: cancelled, failed, crashed; and how an agent's life goes on."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import pytest

from sidecar.agents.base import TurnOpen
from sidecar.demo_model import expected
from sidecar.protocol.messages import AgentStatus
from tests.contract.agents.made import Made


class Ends:
    """Promises about everything that disturbs a turn."""

    @pytest.mark.parametrize(
        ("prompt", "kind"),
        [
            ("/demo long 5000 20ms", "message.delta"),
            ("/demo permission", "permission.asked"),
            ("/demo question", "permission.asked"),
            ("/demo error500", "agent.status"),
        ],
        ids=[
            "while it writes",
            "while it asks",
            "while it has a question",
            "while it waits for the provider",
        ],
    )
    async def test_a_turn_can_be_cancelled(self, made: Made, prompt: str, kind: str) -> None:
        recorder = made.recorder
        turn = await recorder.prompt(prompt)
        await recorder.until(turn, kind)
        began = time.monotonic()
        await recorder.agent.cancel(turn.id)
        await recorder.finish(turn)
        # Adapters wait 1.6 s for it, and a busy machine is given more; the turn would go on for much longer.
        assert time.monotonic() - began < 5.0
        assert turn.stop_reason == "cancelled"
        assert turn.error is None
        following = await recorder.run("/demo plain")
        assert following.text == "".join(expected("/demo plain").messages)

    async def test_a_running_tool_is_interrupted(self, made: Made) -> None:
        recorder = made.recorder
        turn = await recorder.prompt("/demo tools 600 100ms", mode="auto")
        await recorder.until(turn, "tool.upsert")
        # Some say nothing more of it before it is over.
        await asyncio.sleep(1)
        await recorder.agent.cancel(turn.id)
        await recorder.finish(turn)
        assert turn.tool("execute").status == "interrupted"

    async def test_cancelling_at_once_is_obeyed(self, made: Made) -> None:
        recorder = made.recorder
        turn = await recorder.prompt("/demo long 5000 20ms")
        await recorder.agent.cancel(turn.id)
        await recorder.finish(turn)
        assert turn.stop_reason == "cancelled"

    async def test_cancelling_what_is_not_open_does_nothing(self, made: Made) -> None:
        recorder = made.recorder
        earlier = await recorder.run("/demo plain")
        turn = await recorder.prompt("/demo long 40 5ms")
        await recorder.agent.cancel(earlier.id)
        await recorder.agent.cancel(str(uuid4()))
        await recorder.finish(turn)
        assert turn.stop_reason == "end_turn"

    async def test_one_turn_at_a_time(self, made: Made) -> None:
        recorder = made.recorder
        turn = await recorder.prompt("/demo long 40 5ms")
        with pytest.raises(TurnOpen):
            await recorder.agent.prompt(str(uuid4()), "/demo plain")
        await recorder.finish(turn)
        assert turn.stop_reason == "end_turn"

    @pytest.mark.parametrize(
        ("prompt", "error_class"),
        [
            ("/demo error401", "provider_auth"),
            ("/demo error403", "provider_auth"),
            ("/demo error402", "provider_quota"),
        ],
    )
    async def test_a_failure_of_the_provider_has_a_class(
        self, made: Made, prompt: str, error_class: str
    ) -> None:
        turn = await made.recorder.run(prompt)
        assert turn.stop_reason == "error"
        assert turn.error is not None
        assert turn.error.error_class == error_class
        assert turn.of("error") == [turn.error]
        assert "http" not in turn.error.message
        assert "{" not in turn.error.message

    async def test_an_unknown_model_is_said_to_be_that(self, made: Made) -> None:
        turn = await made.recorder.run("/demo plain", model="some-unknown-model")
        assert turn.stop_reason == "error"
        assert turn.error is not None
        assert turn.error.error_class == "unknown_model"
        assert (await made.recorder.run("/demo plain")).stop_reason == "end_turn"

    async def test_a_failure_that_passes_is_waited_for(self, made: Made) -> None:
        turn = await made.recorder.run("/demo errorthen 1")
        assert turn.stop_reason == "end_turn"
        first = turn.of("agent.status")[0]
        assert first.status == "retrying"
        assert first.attempt == 1
        assert turn.of("error") == []

    async def test_a_crash_ends_the_turn_and_the_next_prompt_works(self, made: Made) -> None:
        recorder = made.recorder
        turn = await recorder.prompt("/demo long 5000 20ms")
        await recorder.until(turn, "message.delta")
        await made.crash()
        await recorder.finish(turn)
        assert turn.stop_reason == "error"
        assert turn.error is not None
        assert turn.error.error_class == "agent_crash"
        following = await recorder.run("/demo plain")
        assert following.text == "".join(expected("/demo plain").messages)

    async def test_after_a_rest_the_next_prompt_goes_on_with_the_conversation(self, made: Made) -> None:
        recorder, agent = made.recorder, made.recorder.agent
        turn = await recorder.prompt("hello, first words of mine", mode="auto")
        await recorder.until(turn, "message.delta")
        with pytest.raises(TurnOpen):
            await agent.rest()
        await recorder.finish(turn)
        before = len(recorder.events)
        await agent.rest()
        assert await recorder.outside("agent.status", after=before) == AgentStatus(status="stopped")
        async with asyncio.timeout(20):
            while made.runs():  # Its children hear of it a moment later.
                await asyncio.sleep(0.05)
        await agent.rest()
        following = await recorder.prompt("and some more")
        await recorder.until(following, "message.done")
        assert made.runs()
        await agent.cancel(following.id)
        await recorder.finish(following)
        assert following.text.startswith(expected("and some more", again=True).messages[0])

    async def test_a_prompt_that_comes_while_it_goes_to_rest_is_answered(self, made: Made) -> None:
        recorder = made.recorder
        resting = asyncio.create_task(recorder.agent.rest())
        await asyncio.sleep(0)
        turn = await recorder.run("/demo plain")
        await resting
        assert turn.text == "".join(expected("/demo plain").messages)
        assert turn.error is None

    async def test_a_reader_that_falls_behind_misses_nothing(self, made: Made) -> None:
        recorder = made.recorder
        turn = await recorder.prompt("/demo long 1500 0ms")
        await recorder.until(turn, "message.delta")
        await recorder.pause()
        await asyncio.sleep(1.5)
        assert turn.ended is None
        recorder.resume()
        await recorder.finish(turn)
        assert turn.text == "".join(expected("/demo long 1500 0ms").messages)

    async def test_a_successor_takes_up_the_conversation(self, made: Made) -> None:
        await made.recorder.run("hello, first words of mine", mode="auto")
        for again in ("and some more", "and some more, much later"):
            recorder = await made.successor()
            assert recorder.agent.resumed
            turn = await recorder.run(again, mode="auto")
            assert turn.stop_reason == "end_turn"
            assert turn.text == "".join(expected(again, again=True).messages)
        assert [event.turn for event in recorder.events if event.turn] == [turn.id] * len(turn.events)
