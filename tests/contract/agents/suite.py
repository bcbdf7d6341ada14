"""The promises of `Agent` as tests. A module per agent inherits them and says how such an agent is made."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol
from uuid import uuid4

import pytest

from sidecar.agents.base import TurnOpen, UnknownPermission
from sidecar.demo_model import expected
from sidecar.protocol.frames import PermissionAnswer
from tests.contract.agents.recorder import Recorder, allow, allow_for_session, choose, reject


class Made(Protocol):
    """An agent that runs, and what can be done to it from outside."""

    recorder: Recorder

    def clear(self) -> None:
        """Empty the workspace."""

    async def crash(self) -> None:
        """Kill the agent's process."""

    async def successor(self) -> Recorder:
        """End the agent, and start another one on the same disk."""


class AgentContract:
    """`made` is an agent on the demo model in mode "ask". It may be shared: a test leaves no turn open."""

    # --- what it says -------------------------------------------------------------------------------------

    async def test_it_streams_its_answer(self, made: Made) -> None:
        turn = await made.recorder.run("/demo long 40 1ms")
        assert turn.text == "".join(expected("/demo long 40 1ms").messages)
        assert len(turn.of("message.delta")) > 5
        assert turn.stop_reason == "end_turn"

    async def test_offsets_count_characters_beyond_the_basic_plane_as_one(self, made: Made) -> None:
        said = "crème 👩\u200d💻 und 𝒙 gehen, 漢字 auch"
        turn = await made.recorder.run(f"/demo say {said}")
        assert turn.text == said

    async def test_it_streams_its_thoughts_apart(self, made: Made) -> None:
        turn = await made.recorder.run("/demo reasoning")
        script = expected("/demo reasoning")
        assert turn.thoughts == "".join(script.thoughts)
        assert turn.text == "".join(script.messages)

    async def test_it_publishes_its_plan(self, made: Made) -> None:
        turn = await made.recorder.run("/demo todo")
        plans = [[(entry.content, entry.status) for entry in plan.entries] for plan in turn.of("plan")]
        assert plans[0][0] == ("Look around", "in_progress")
        assert plans[-1] == [
            ("Look around", "completed"),
            ("Do the work", "completed"),
            ("Check it", "cancelled"),
        ]

    async def test_it_tells_of_its_tools(self, made: Made) -> None:
        made.clear()
        turn = await made.recorder.run("/demo work", allow)
        write, bash = turn.tool("edit"), turn.tool("execute")
        assert write.statuses[-1] == bash.statuses[-1] == "completed"
        assert write.statuses.index("in_progress") < write.statuses.index("completed")
        assert bash.input["command"] == "cat hello.txt && echo command-done"
        assert "command-done" in bash.output
        assert bash.title
        assert write.duration_ms is not None
        assert write.diffs[0]["path"] == "hello.txt"
        assert "+hello from the demo model" in write.diffs[0]["patch"]
        assert write.diffs[0]["additions"] == 1
        assert "hello.txt" in [changed.path for changed in turn.of("file.changed")]

    async def test_a_sub_agents_work_hangs_below_the_call_that_started_it(self, made: Made) -> None:
        turn = await made.recorder.run("/demo subagent", allow)
        task = next(name for name, tool in turn.tools.items() if tool.tool_kind == "other")
        assert turn.text == "".join(expected("/demo subagent").messages)
        assert {parent for _, _, parent in turn.parts.values()} == {"", task}
        assert {tool.parent_tool_call_id for tool in turn.tools.values()} == {None, task}
        assert turn.tools[task].status == "completed"

    async def test_it_says_what_it_offers(self, made: Made) -> None:
        await made.recorder.agent.configure(mode="ask")
        config = await made.recorder.outside("agent.config")
        assert {mode.id for mode in config.modes} == {"ask", "accept_edits", "plan", "auto"}  # type: ignore[attr-defined]
        assert "demo" in config.models  # type: ignore[attr-defined]

    # --- permissions and questions ------------------------------------------------------------------------

    async def test_it_asks_before_it_runs_a_command(self, made: Made) -> None:
        turn = await made.recorder.run("/demo permission", allow)
        (asked,) = turn.of("permission.asked")
        assert asked.type == "tool"
        assert asked.command == "rm -rf build && echo cleaned-up"
        assert asked.cwd
        assert asked.rule.startswith("bash: ")
        assert turn.tools[asked.tool_call_id].tool_kind == "execute"
        assert turn.text.endswith("Thank you for allowing it.")
        assert turn.of("permission.answered") == [], "the caller writes these"

    async def test_a_permission_for_the_session_is_not_asked_again(self, made: Made) -> None:
        turn = await made.recorder.run("/demo permissions", allow_for_session)
        assert len(turn.of("permission.asked")) == 1
        assert turn.stop_reason == "end_turn"
        assert [tool.status for tool in turn.tools.values()] == ["completed"] * 3
        later = await made.recorder.run("/demo permissions")
        assert later.of("permission.asked") == []

    async def test_a_rejection_ends_the_turn(self, made: Made) -> None:
        turn = await made.recorder.run("/demo run rm some-file", reject)
        assert turn.stop_reason == "refused"
        assert turn.tool("execute").status == "failed"
        assert turn.error is None

    async def test_a_rejection_with_a_message_is_advice(self, made: Made) -> None:
        turn = await made.recorder.run("/demo permission", lambda asked: reject(asked, "keep the folder"))
        assert turn.stop_reason == "end_turn"
        assert "keep the folder" in turn.text
        assert turn.tool("execute").status == "failed"

    async def test_a_question_is_answered(self, made: Made) -> None:
        turn = await made.recorder.run("/demo question", choose("blue"))
        (asked,) = turn.of("permission.asked")
        assert asked.type == "question"
        assert [option.label for option in asked.questions[0].options] == ["red", "blue"]
        assert "blue" in turn.text.split("reached me", 1)[1]

    async def test_a_question_may_stay_unanswered(self, made: Made) -> None:
        turn = await made.recorder.run("/demo question", reject)
        assert turn.stop_reason == "refused"

    async def test_an_answer_counts_once(self, made: Made) -> None:
        recorder = made.recorder
        turn = await recorder.prompt("/demo permission")
        asked = await recorder.until(turn, "permission.asked")
        await recorder.agent.answer(allow(asked))
        with pytest.raises(UnknownPermission):
            await recorder.agent.answer(allow(asked))
        await recorder.finish(turn)

    async def test_nobody_waits_for_an_answer_to_what_was_not_asked(self, made: Made) -> None:
        with pytest.raises(UnknownPermission):
            await made.recorder.agent.answer(PermissionAnswer(permission_id=str(uuid4()), choice="once"))

    async def test_a_permission_dies_with_its_turn(self, made: Made) -> None:
        recorder = made.recorder
        turn = await recorder.prompt("/demo permission")
        asked = await recorder.until(turn, "permission.asked")
        await recorder.agent.cancel(turn.id)
        await recorder.finish(turn)
        with pytest.raises(UnknownPermission):
            await recorder.agent.answer(allow(asked))

    # --- modes --------------------------------------------------------------------------------------------

    async def test_edits_can_be_accepted_and_commands_still_asked_for(self, made: Made) -> None:
        turn = await made.recorder.run("/demo work", allow, mode="accept_edits")
        assert [asked.command != "" for asked in turn.of("permission.asked")] == [True]

    async def test_automatic_asks_only_before_it_leaves_the_workspace(self, made: Made) -> None:
        turn = await made.recorder.run("/demo work", mode="auto")
        assert turn.of("permission.asked") == []
        outside = await made.recorder.run("/demo outside", reject, mode="auto")
        assert len(outside.of("permission.asked")) == 1
        assert outside.stop_reason == "refused"

    async def test_a_plan_changes_nothing(self, made: Made) -> None:
        turn = await made.recorder.run("/demo edit", lambda asked: reject(asked, "plan only"), mode="plan")
        assert turn.of("file.changed") == []
        assert "completed" not in [tool.status for tool in turn.tools.values() if tool.tool_kind == "edit"]

    # --- cancelling ---------------------------------------------------------------------------------------

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
        assert time.monotonic() - began < 2.5
        assert turn.stop_reason == "cancelled"
        assert turn.error is None
        following = await recorder.run("/demo plain")
        assert following.text == "".join(expected("/demo plain").messages)

    async def test_a_running_tool_is_interrupted(self, made: Made) -> None:
        recorder = made.recorder
        turn = await recorder.prompt("/demo tools 50 100ms", mode="auto")
        await recorder.until(turn, "tool.output")
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

    # --- failures -----------------------------------------------------------------------------------------

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
        assert first.retry_at > "2026"
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

    # --- life ---------------------------------------------------------------------------------------------

    async def test_a_successor_takes_up_the_conversation(self, made: Made) -> None:
        await made.recorder.run("/demo plain")
        recorder = await made.successor()
        assert recorder.agent.resumed
        turn = await recorder.run("/demo plain")
        assert turn.stop_reason == "end_turn"
        assert [event.turn for event in recorder.events if event.turn] == [turn.id] * len(turn.events)
