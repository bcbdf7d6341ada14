"""What an agent says: texts, thoughts, plans, tools, sub-agents."""

from __future__ import annotations

from sidecar.demo_model import expected
from tests.contract.agents.made import Made
from tests.contract.agents.recorder import allow


class Says:
    """Promises about a turn that nothing disturbs."""

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

    async def test_it_shows_what_a_command_prints_while_it_runs(self, made: Made) -> None:
        turn = await made.recorder.prompt("/demo tools 50 100ms", mode="auto")
        await made.recorder.until(turn, "tool.output")
        running = turn.tool("execute")
        assert running.status == "in_progress"
        assert "tick 50 of 50" not in running.output, "it has run"
        await made.recorder.agent.cancel(turn.id)
        await made.recorder.finish(turn)

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
