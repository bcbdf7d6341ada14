"""How an agent asks, takes answers, and works in each mode."""

from __future__ import annotations

from uuid import uuid4

import pytest

from sidecar.agents.base import UnknownPermission
from sidecar.protocol.frames import PermissionAnswer
from tests.contract.agents.made import Made
from tests.contract.agents.recorder import allow, allow_for_session, choose, reject


class Consents:
    """Promises about permissions, questions and modes."""

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
        assert turn.tool("execute").status == "rejected"
        assert turn.error is None

    async def test_a_rejection_with_a_message_is_advice(self, made: Made) -> None:
        turn = await made.recorder.run(
            "/demo permission", lambda asked: reject(asked, "/demo say keep the folder")
        )
        assert turn.stop_reason == "end_turn"
        assert "keep the folder" in turn.text
        assert turn.tool("execute").status == "rejected"

    async def test_a_question_is_answered(self, made: Made) -> None:
        turn = await made.recorder.run("/demo question", choose("blue"))
        (asked,) = turn.of("permission.asked")
        assert asked.type == "question"
        assert [option.label for option in asked.questions[0].options] == ["red", "blue"]
        assert "blue" in turn.text.split("reached me", 1)[1]

    async def test_a_question_may_stay_unanswered(self, made: Made) -> None:
        turn = await made.recorder.run("/demo question", reject)
        assert turn.stop_reason == "refused"
        # Of one agent a question is no tool call.
        assert {tool.status for tool in turn.tools.values()} <= {"rejected"}

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
        turn = await made.recorder.run(
            "/demo edit", lambda asked: reject(asked, "/demo say only a plan"), mode="plan"
        )
        assert turn.of("file.changed") == []
        assert "completed" not in [tool.status for tool in turn.tools.values() if tool.tool_kind == "edit"]
