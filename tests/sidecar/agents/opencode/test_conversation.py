"""What single events of OpenCode mean for the turn, and what is left out."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.protocol.messages import AgentStatus, FileChanged
from tests.sidecar.agents.opencode.told import SESSION, Told

ABORTED = {"name": "MessageAbortedError", "data": {"message": "Aborted"}}
REFUSED = {"name": "APIError", "data": {"message": "bad key", "statusCode": 401, "isRetryable": False}}


def done(text: str) -> dict[str, Any]:
    return {"text": text, "time": {"start": 1, "end": 2}}


def test_stragglers_of_an_earlier_turn_are_left_out() -> None:
    told = Told()
    told.prompted()
    told.tool("t", "running")
    told.idle()
    assert told.turn.stop_reason == "end_turn"
    told.begin("00000000-0000-0000-0000-000000000002")
    told.tool("t", "error", error="Tool execution aborted")
    told.part("p", "text", **done("late"))
    told.say("message.updated", info={"id": "msg_1", "role": "user", "sessionID": SESSION})
    told.idle()
    told.say("session.error", sessionID=SESSION, error=REFUSED)
    assert told.turn.events == []
    told.prompted("msg_5")
    turn = told.part("p2", "text", **done("new"))
    assert turn.text == "new"


def test_the_end_comes_once_however_often_opencode_is_idle() -> None:
    told = Told()
    told.prompted()
    told.idle()
    told.say("session.idle", sessionID=SESSION)
    told.idle()
    assert len(told.turn.of("turn.ended")) == 1
    assert told.outside == []


def test_idle_before_the_answer_is_complete_is_not_the_end() -> None:
    told = Told()
    told.say("message.updated", info={"id": "msg_1", "role": "user", "sessionID": SESSION})
    assert told.say_idle().ended is None
    told.prompted()
    assert told.say_idle().ended is None, "an error was missed that its message will tell"
    told.replying("msg_2", "msg_1", error=REFUSED, time={"completed": 2})
    assert told.say_idle().stop_reason == "error"


def test_after_a_failure_the_next_prompt_waits_for_the_second_idle() -> None:
    told = Told()
    assert told.conversation.settling.is_over()
    told.prompted()
    told.say("session.error", sessionID=SESSION, error=REFUSED)
    turn = told.idle()
    assert turn.error is not None
    assert turn.error.error_class == "provider_auth"
    assert not told.conversation.settling.is_over()
    told.say("session.idle", sessionID=SESSION)
    assert not told.conversation.settling.is_over(), "it says every idle in two ways"
    told.idle()
    assert told.conversation.settling.is_over()


def test_after_a_cancellation_it_is_waited_for_longer_as_it_comes_for_sure() -> None:
    told = Told()
    told.prompted()
    told.say("session.error", sessionID=SESSION, error=REFUSED)
    told.idle()
    after_a_failure = told.conversation.settling.seconds
    told.idle()
    told.begin("the next")
    told.prompted("msg_3")
    told.conversation.cancel()
    told.idle()
    assert not told.conversation.settling.is_over()
    assert told.conversation.settling.seconds > after_a_failure


def test_a_prompt_is_left_when_opencode_is_idle_and_has_asked_no_model() -> None:
    told = Told()
    left = [told.conversation.left]
    told.say("message.updated", info={"id": "msg_1", "role": "user", "sessionID": SESSION})
    left.append(told.conversation.left)
    told.say_idle()
    assert told.conversation.left == "msg_1"
    told.say("session.status", sessionID=SESSION, status={"type": "busy"})
    left.append(told.conversation.left)
    told.say_idle()
    assert told.conversation.left == "msg_1"
    told.replying("msg_2", "msg_1")
    left.append(told.conversation.left)
    assert left == [""] * 4


@pytest.mark.parametrize("error", [ABORTED, REFUSED])
def test_a_prompt_that_fails_or_is_stopped_is_not_left(error: dict[str, Any]) -> None:
    told = Told()
    told.say("message.updated", info={"id": "msg_1", "role": "user", "sessionID": SESSION})
    told.say("session.error", sessionID=SESSION, error=error)
    assert told.say_idle().ended
    assert told.conversation.left == ""


@pytest.mark.parametrize(
    ("error", "stop_reason"),
    [
        (ABORTED, "cancelled"),
        ({"name": "MessageOutputLengthError", "data": {}}, "max_tokens"),
        ({"name": "ContentFilterError", "data": {"message": "no"}}, "refused"),
        (REFUSED, "error"),
    ],
)
def test_an_error_of_the_answer_is_the_reason_of_the_end(error: dict[str, Any], stop_reason: str) -> None:
    told = Told()
    told.prompted()
    told.replying("msg_2", "msg_1", error=error)
    assert told.idle().stop_reason == stop_reason


@pytest.mark.parametrize(
    ("finish", "stop_reason"),
    [("stop", "end_turn"), ("length", "max_tokens"), ("content-filter", "refused"), ("unknown", "end_turn")],
)
def test_the_way_the_answer_finished_is_the_reason_of_the_end(finish: str, stop_reason: str) -> None:
    told = Told()
    told.prompted()
    assert told.idle(finish).stop_reason == stop_reason


def test_cancelling_wins_over_a_failure() -> None:
    told = Told()
    told.prompted()
    told.conversation.cancel()
    told.say("session.error", sessionID=SESSION, error=REFUSED)
    turn = told.idle()
    assert turn.stop_reason == "cancelled"
    assert turn.of("error") == []


def test_retries_are_told_and_are_no_hang() -> None:
    told = Told()
    told.prompted()
    told.part("p", "text", text="")
    told.delta("p", "Half a sen")
    status = {"type": "retry", "attempt": 2, "message": "Overloaded", "next": 1_795_366_396_390}
    turn = told.say("session.status", sessionID=SESSION, status=status)
    (retrying,) = turn.of("agent.status")
    assert retrying.status == "retrying"
    assert retrying.attempt == 2
    assert retrying.retry_at == "2026-11-22T16:53:16.390Z"
    assert turn.done == {"p": 10}, "what was begun never goes on"
    assert told.conversation.is_patient
    turn = told.say("session.status", sessionID=SESSION, status={"type": "busy"})
    assert turn.of("agent.status")[-1] == AgentStatus(status="busy")
    assert not told.conversation.is_patient


def test_other_conversations_are_left_out() -> None:
    told = Told()
    told.prompted()
    other = {"id": "msg_x", "role": "assistant", "sessionID": "ses_other", "parentID": "msg_1"}
    told.say("message.updated", info=other)
    told.part("p", "text", message="msg_x", session="ses_other", **done("not ours"))
    told.say(
        "permission.asked", id="per_x", sessionID="ses_other", permission="bash", patterns=["ls"], metadata={}
    )
    told.say("session.status", sessionID="ses_other", status={"type": "idle"})
    told.say("session.error", sessionID="ses_other", error=REFUSED)
    told.say("todo.updated", sessionID="ses_other", todos=[{"content": "x"}])
    assert told.turn.events == []


def test_unknown_events_are_skipped(caplog: pytest.LogCaptureFixture) -> None:
    told = Told()
    told.prompted()
    for _ in range(3):
        told.say("something.new", sessionID=SESSION, text="hello")
    told.hear({}, {"type": 5}, {"type": "message.updated"}, {"type": "message.updated", "properties": []})
    assert told.turn.events == []


def test_a_tool_is_told_as_it_changes() -> None:
    told = Told()
    told.prompted()
    told.tool("t", "pending")
    told.tool("t", "running", input={"command": "ls"}, metadata={"output": "a\n"})
    told.tool("t", "running", input={"command": "ls"}, metadata={"output": "a\nb\n"})
    turn = told.tool(
        "t",
        "completed",
        input={"command": "ls"},
        metadata={"output": "a\nb\n", "exit": 0},
        time={"start": 5, "end": 9},
    )
    tool = turn.tools["t"]
    assert tool.statuses == ["pending", "in_progress", "completed"]
    assert tool.output == "a\nb\n"
    assert tool.duration_ms == 4
    before = len(turn.events)
    told.tool("t", "running", input={"command": "ls"})
    assert len(turn.events) == before, "nothing after its end"


def test_a_tool_that_was_aborted_is_interrupted() -> None:
    told = Told()
    told.prompted()
    told.tool("t", "running")
    turn = told.tool("t", "error", error="Tool execution aborted", metadata={"interrupted": True})
    assert turn.tools["t"].statuses[-1] == "interrupted"


def test_a_file_is_told_once_with_the_kind_of_its_change() -> None:
    told = Told()
    told.prompted()
    told.say("file.edited", file="/workspace/a.py")
    told.say("file.watcher.updated", file="/workspace/a.py", event="add")
    told.say("file.edited", file="/workspace/b.py")
    told.say("session.diff", sessionID=SESSION)
    told.say("file.watcher.updated", file="/workspace/.git/index", event="change")
    told.say("file.watcher.updated", file="/etc/passwd", event="change")
    turn = told.idle()
    assert turn.of("file.changed") == [
        FileChanged(path="a.py", change="created"),
        FileChanged(path="b.py", change="modified"),
    ]


def test_a_plan_is_told_when_it_changes() -> None:
    told = Told()
    told.prompted()
    todos = [{"content": "one", "status": "in_progress", "priority": "high"}, {"content": 5, "status": "odd"}]
    told.say("todo.updated", sessionID=SESSION, todos=todos)
    turn = told.say("todo.updated", sessionID=SESSION, todos=todos)
    (plan,) = turn.of("plan")
    assert [(entry.content, entry.status, entry.priority) for entry in plan.entries] == [
        ("one", "in_progress", "high"),
        ("", "pending", "medium"),
    ]


def test_a_failure_before_the_prompt_is_taken_up_is_the_turns() -> None:
    told = Told()
    said = "effect/sql/SqlError: Failed to execute statement\n [cause]: SQLiteError: database or disk is full"
    told.say("session.error", sessionID=SESSION, error={"name": "UnknownError", "data": {"message": said}})
    assert told.conversation.is_refused
    told.conversation.end()
    turn = told.hear()
    assert turn.error is not None
    assert turn.error.error_class == "disk_full"


def test_a_failure_that_was_of_an_earlier_turn_does_not_count() -> None:
    told = Told()
    for name in ("MessageAbortedError", "UnknownError"):
        told.say("session.error", sessionID=SESSION, error={"name": name, "data": {"message": "late"}})
    told.prompted()
    assert not told.conversation.is_refused
    assert told.idle().stop_reason == "end_turn"
