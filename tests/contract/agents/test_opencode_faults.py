"""What can go wrong around a real OpenCode: cut streams, intruders in the box, providers that fail.

Variants are what end-to-end tests show of the real OpenCode too, and further kinds of a fault: a server that
stands still or dies before its prompt is shown by variants only.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

import pytest

from sidecar.agents.base import UnknownPermission
from sidecar.agents.opencode import conversation
from tests.contract.agents.live_opencode import LiveOpenCode, git_log, said
from tests.contract.agents.recorder import allow, choose

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]


# --- the stream of events is cut ---------------------------------------------------------------------------


async def test_text_is_whole_and_single_however_often_the_stream_is_cut(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.prompt("/demo long 300 5ms")
    await opencode.recorder.until(turn, "message.delta", count=3)
    for _ in range(10):
        opencode.box.cut()
        await asyncio.sleep(0.1)
    await opencode.recorder.finish(turn)
    assert turn.text == said("/demo long 300 5ms")
    assert turn.stop_reason == "end_turn"


@pytest.mark.variant
async def test_tools_survive_a_cut_stream(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.prompt("/demo tools 12 100ms", mode="auto")
    await opencode.recorder.until(turn, "tool.output")
    opencode.box.cut()
    await opencode.recorder.until(turn, "tool.output", count=4)
    opencode.box.cut()
    await opencode.recorder.finish(turn)
    tool = turn.tool("execute")
    assert tool.output == "".join(f"tick {n} of 12\n" for n in range(1, 13)) + "all-ticks-done\n"
    assert tool.status == "completed"


async def test_a_question_that_is_asked_while_the_stream_is_cut_is_seen(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.prompt("/demo question")
    for _ in range(20):
        opencode.box.cut()
        await asyncio.sleep(0.05)
    await opencode.recorder.finish(turn, choose("red"))
    assert len(turn.of("permission.asked")) == 1
    assert turn.text.count("Thank you") == 1


@pytest.mark.variant
async def test_the_end_of_a_turn_is_seen_although_the_stream_was_cut(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.prompt("/demo plain")
    for _ in range(40):
        opencode.box.cut()
        await asyncio.sleep(0.02)
    await opencode.recorder.finish(turn)
    assert turn.text == said("/demo plain")


@pytest.mark.variant
async def test_a_server_that_stands_still_is_replaced(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.prompt("/demo long 5000 20ms")
    await opencode.recorder.until(turn, "message.delta")
    os.kill(opencode.pid, signal.SIGSTOP)
    began = time.monotonic()
    cancelling = asyncio.create_task(opencode.recorder.agent.cancel(turn.id))
    await opencode.recorder.finish(turn)
    assert time.monotonic() - began < 2.5
    assert turn.stop_reason == "cancelled"
    await cancelling
    following = await opencode.recorder.run("/demo plain")
    assert following.text == said("/demo plain")
    assert [status.status for status in following.of("agent.status")] == ["starting", "ready"]


@pytest.mark.variant
async def test_an_answer_that_the_provider_cuts_is_broken_off_each_time(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.prompt("/demo cut")
    # Of an attempt whose end it saw together with its text it may show nothing; the next one comes later.
    await opencode.recorder.until(turn, "message.done", count=2, seconds=90)
    await opencode.recorder.agent.cancel(turn.id)
    await opencode.recorder.finish(turn)
    assert len(turn.parts) == 2
    assert all(done.broken for done in turn.of("message.done"))


async def test_an_output_of_which_opencode_keeps_the_end_says_so(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.run("/demo flood 3000", mode="auto")
    pieces = turn.of("tool.output")
    output = "".join(piece.text for piece in pieces)
    flood = "".join(f"line {number} of a flood that nobody wants to read\n" for number in range(1, 3001))
    # What is missing may be the beginning, or the midst when the beginning was seen. A slow OpenCode
    # lacks the very end too: it reads no further when the command has ended.
    assert output and any(piece.gap for piece in pieces) is not flood.startswith(output)
    assert all(stretch in flood for stretch in output.split("\n...\n\n"))
    assert not output.startswith("...")


@pytest.mark.variant
async def test_a_server_that_dies_before_the_prompt_arrives_is_a_crash_or_none(
    opencode: LiveOpenCode,
) -> None:
    os.kill(opencode.pid, signal.SIGKILL)
    turn = await opencode.recorder.run("/demo plain")
    if turn.error is not None:
        assert turn.error.error_class == "agent_crash"
        turn = await opencode.recorder.run("/demo plain")
    assert turn.text == said("/demo plain")


# --- somebody in the box -----------------------------------------------------------------------------------


async def test_an_answer_from_the_box_is_told_as_that(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.prompt("/demo permission")
    asked = await opencode.recorder.until(turn, "permission.asked")
    (waiting,) = [
        each for each in await opencode.intruder.get("/permission") if _is_about(each, "rm -rf build")
    ][-1:]
    await opencode.intruder.post(f"/permission/{waiting['id']}/reply", {"reply": "once"})
    answered = await opencode.recorder.until(turn, "permission.answered")
    assert answered.permission_id == asked.permission_id
    assert answered.by == "box"
    assert answered.choice == "once"
    with pytest.raises(UnknownPermission):
        await opencode.recorder.agent.answer(allow(asked))
    await opencode.recorder.finish(turn)
    assert turn.stop_reason == "end_turn"


async def test_a_conversation_of_somebody_else_is_not_ours(opencode: LiveOpenCode) -> None:
    other = await opencode.intruder.post("/session", {"title": "of the user"})
    model = {"providerID": "demo", "modelID": "demo"}
    parts = [{"type": "text", "text": "/demo permission"}]
    await opencode.intruder.post(f"/session/{other['id']}/prompt_async", {"parts": parts, "model": model})
    turn = await opencode.recorder.run("/demo long 60 10ms")
    assert turn.text == said("/demo long 60 10ms")
    assert turn.of("permission.asked") == []
    await opencode.intruder.post(f"/session/{other['id']}/abort")


async def test_a_session_that_somebody_deleted_is_replaced(opencode: LiveOpenCode) -> None:
    listed = await opencode.intruder.get("/session")
    for session in listed:
        if "openagent" in (session.get("metadata") or {}):
            await opencode.intruder._call("DELETE", f"/session/{session['id']}", None, 10.0)
    turn = await opencode.recorder.run("/demo plain")
    assert turn.text == said("/demo plain")


async def test_the_workspace_is_a_repository(opencode: LiveOpenCode) -> None:
    assert git_log(opencode.workspace, "%an %s").strip() == "OpenAgent Empty workspace"


# --- the provider ------------------------------------------------------------------------------------------


@pytest.mark.variant
async def test_garbage_is_not_shown_and_the_answer_is_asked_for_again(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.prompt("/demo garbage")
    retrying = await opencode.recorder.until(turn, "agent.status")
    assert retrying.status == "retrying"
    assert turn.error is None and "{" not in turn.text
    await opencode.recorder.agent.cancel(turn.id)
    await opencode.recorder.finish(turn)


async def test_a_cut_answer_is_asked_for_again(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.prompt("/demo cut")
    retrying = await opencode.recorder.until(turn, "agent.status")
    assert retrying.status == "retrying"
    # What was said before the cut is complete as it is; the next attempt is another part.
    assert len(turn.done) == len(turn.parts)
    await opencode.recorder.agent.cancel(turn.id)
    await opencode.recorder.finish(turn)


@pytest.mark.variant
async def test_a_rate_limit_names_the_time_of_the_next_attempt(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.run("/demo error429 1 2s")
    assert turn.stop_reason == "end_turn"
    retrying = turn.of("agent.status")[0]
    assert "limits" in retrying.message
    assert retrying.retry_at


async def test_a_provider_that_fails_again_and_again_fails_the_turn(
    opencode: LiveOpenCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MAX_ATTEMPTS", 2)
    turn = await opencode.recorder.run("/demo error500")
    assert turn.stop_reason == "error"
    assert turn.error is not None and turn.error.error_class == "provider_unavailable"
    assert [status.attempt for status in turn.of("agent.status") if status.status == "retrying"] == [1, 2]
    assert (await opencode.recorder.run("/demo plain")).text == said("/demo plain")


async def test_a_conversation_that_is_too_long_is_summarised(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.run("/demo context", allow)
    assert turn.ended is not None
    assert any("summarised" in status.message for status in turn.of("agent.status"))


def _is_about(waiting: dict[str, Any], command: str) -> bool:
    return command in str(waiting.get("metadata"))
