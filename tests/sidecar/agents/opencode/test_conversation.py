"""What single events of OpenCode mean, and what is left out."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.agents.base import UnknownPermission
from sidecar.protocol.frames import PermissionAnswer
from sidecar.protocol.messages import AgentStatus, FileChanged
from tests.contract.agents.recorder import allow, allow_for_session, reject
from tests.sidecar.agents.opencode.told import SESSION, Told

ABORTED = {"name": "MessageAbortedError", "data": {"message": "Aborted"}}
REFUSED = {"name": "APIError", "data": {"message": "bad key", "statusCode": 401, "isRetryable": False}}


def done(text: str) -> dict[str, Any]:
    return {"text": text, "time": {"start": 1, "end": 2}}


# --- texts -------------------------------------------------------------------------------------------------


def test_a_whole_text_after_its_deltas_adds_nothing() -> None:
    told = Told()
    told.prompted()
    told.part("p", "text", text="")
    told.delta("p", "Hel")
    told.delta("p", "lo")
    turn = told.part("p", "text", **done("Hello"))
    assert turn.text == "Hello"
    assert turn.done == {"p": 5}
    told.part("p", "text", **done("Hello"))
    told.delta("p", " again")
    assert turn.text == "Hello"


def test_what_deltas_left_out_is_added() -> None:
    told = Told()
    told.prompted()
    told.delta("p", "lost, for nobody knows the part yet")
    told.part("p", "text", text="")
    told.delta("p", "Hel")
    assert told.part("p", "text", **done("Hello, world")).text == "Hello, world"


def test_a_text_without_deltas_is_whole() -> None:
    told = Told()
    told.prompted()
    turn = told.part("p", "reasoning", **done("A thought."))
    assert turn.thoughts == "A thought."
    assert turn.text == ""


def test_a_character_in_two_halves_is_one() -> None:
    told = Told()
    told.prompted()
    told.part("p", "text", text="")
    told.delta("p", "a\ud83d")
    told.delta("p", "\ude00b\ud83d")
    turn = told.part("p", "text", **done("a\ud83d\ude00b\ud83d"))
    assert turn.text == "a😀b\ufffd"


def test_a_corrected_text_replaces_from_where_it_differs() -> None:
    told = Told()
    told.prompted()
    told.part("p", "text", text="")
    told.delta("p", "Hello wrold")
    told.conversation.handle(
        {
            "type": "message.part.updated",
            "properties": {
                "part": {
                    "id": "p",
                    "type": "text",
                    "messageID": "msg_2",
                    "sessionID": SESSION,
                    **done("Hello world"),
                }
            },
        }
    )
    corrected, ended = told.queue.take()
    assert (corrected.data.offset, corrected.data.text) == (7, "orld")  # type: ignore[attr-defined]
    assert ended.kind == "message.done"


def test_the_prompt_itself_is_not_an_answer() -> None:
    told = Told()
    told.prompted()
    turn = told.part("q", "text", message="msg_1", text="what I asked")
    turn = told.part("s", "text", synthetic=True, **done("for the model only"))
    assert turn.parts == {}


def test_a_summary_is_a_thought() -> None:
    told = Told()
    told.prompted()
    told.replying("msg_3", "msg_1", summary=True)
    turn = told.part("p", "text", message="msg_3", **done("We talked about cats."))
    assert turn.text == ""
    assert turn.thoughts == "We talked about cats."


def test_a_huge_text_is_cut() -> None:
    told = Told()
    told.prompted()
    turn = told.part("p", "text", **done("x" * 3_000_000))
    assert len(turn.text) == 1024 * 1024


# --- the turn ----------------------------------------------------------------------------------------------


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
    assert told.conversation.settled.is_set()
    told.prompted()
    told.say("session.error", sessionID=SESSION, error=REFUSED)
    turn = told.idle()
    assert turn.error is not None
    assert turn.error.error_class == "provider_auth"
    assert not told.conversation.settled.is_set()
    told.say("session.idle", sessionID=SESSION)
    assert not told.conversation.settled.is_set(), "it says every idle in two ways"
    told.idle()
    assert told.conversation.settled.is_set()


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


# --- tools and files ---------------------------------------------------------------------------------------


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
    turn = told.part("x", "patch", files=["/workspace/a.py", "/workspace/b.py", "/workspace/c.py"])
    assert turn.of("file.changed") == [
        FileChanged(path="a.py", change="created"),
        FileChanged(path="b.py", change="modified"),
        FileChanged(path="c.py", change="modified"),
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


# --- requests ----------------------------------------------------------------------------------------------


def test_a_request_is_asked_with_all_that_matters() -> None:
    told = Told()
    told.prompted()
    told.tool("t", "running", input={"command": "ls -la", "workdir": "/workspace/src"})
    asked = told.asks(
        "per_1",
        patterns=["ls -la"],
        metadata={"command": "ls -la"},
        tool={"messageID": "msg_2", "callID": "call_t"},
    )
    assert asked.tool_call_id == "t"
    assert (asked.command, asked.cwd, asked.rule) == ("ls -la", "/workspace/src", "bash: ls *")


def test_other_permissions_are_named() -> None:
    told = Told()
    told.prompted()
    fetch = told.asks("per_1", "webfetch", metadata={"url": "https://example.com:8443/x"}, always=[])
    assert (fetch.title, fetch.host, fetch.rule) == ("Fetch from example.com", "example.com", "")
    outside = told.asks("per_2", "external_directory", patterns=["/tmp/x/*"])
    assert outside.title == "Leave the workspace: /tmp/x/*"
    assert told.asks("per_3", "doom_loop").title == "The agent repeats itself: go on?"
    assert told.asks("per_4", "some_mcp_tool", patterns=[]).title == "Use some_mcp_tool"


def test_what_the_mode_allows_is_answered_at_once() -> None:
    told = Told(mode="auto")
    told.prompted()
    told.say(
        "permission.asked",
        id="per/1",
        sessionID=SESSION,
        permission="bash",
        patterns=["ls"],
        always=[],
        metadata={},
    )
    told.say("permission.replied", sessionID=SESSION, requestID="per/1", reply="once")
    assert told.turn.events == []
    (order,) = told.orders
    assert order.path == "/permission/per%2F1/reply"
    assert order.body == {"reply": "once"}


def test_a_request_is_asked_once() -> None:
    told = Told()
    told.prompted()
    told.asks("per_1")
    for _ in range(2):
        told.say(
            "permission.asked", id="per_1", sessionID=SESSION, permission="bash", patterns=["ls"], metadata={}
        )
    assert len(told.turn.of("permission.asked")) == 1


def test_an_answer_for_the_session_settles_what_else_it_covers() -> None:
    told = Told()
    told.prompted()
    first, second, third = told.asks("per_1"), told.asks("per_2"), told.asks("per_3", patterns=["rm x"])
    order = told.conversation.consent.decide(allow_for_session(first))
    assert order.body == {"reply": "once"}, "what it covers is remembered on our side"
    turn = told.hear()
    (answered,) = turn.of("permission.answered")
    assert (answered.permission_id, answered.choice, answered.by) == (
        second.permission_id,
        "session",
        "platform",
    )
    assert [each.path for each in told.orders] == ["/permission/per_2/reply"]
    with pytest.raises(UnknownPermission):
        told.conversation.consent.decide(allow(second))
    told.conversation.consent.decide(allow(third))


def test_what_opencode_rejects_with_a_rejection_is_ours_too() -> None:
    told = Told()
    told.prompted()
    first, second = told.asks("per_1"), told.asks("per_2")
    order = told.conversation.consent.decide(reject(first, "no, because"))
    assert order.body == {"reply": "reject", "message": "no, because"}
    told.say("permission.replied", sessionID=SESSION, requestID="per_1", reply="reject")
    turn = told.say("permission.replied", sessionID=SESSION, requestID="per_2", reply="reject")
    (answered,) = turn.of("permission.answered")
    assert (answered.permission_id, answered.choice, answered.by) == (
        second.permission_id,
        "reject",
        "platform",
    )


@pytest.mark.parametrize(("reply", "choice"), [("once", "once"), ("always", "session"), ("reject", "reject")])
def test_a_reply_that_we_did_not_send_is_the_boxs(reply: str, choice: str) -> None:
    told = Told()
    told.prompted()
    asked = told.asks("per_1")
    turn = told.say("permission.replied", sessionID=SESSION, requestID="per_1", reply=reply)
    (answered,) = turn.of("permission.answered")
    assert (answered.permission_id, answered.choice, answered.by) == (asked.permission_id, choice, "box")


def test_a_rejection_is_the_reason_of_the_end_unless_the_model_goes_on() -> None:
    for goes_on, stop_reason in ((False, "refused"), (True, "end_turn")):
        told = Told()
        told.prompted()
        told.conversation.consent.decide(reject(told.asks("per_1")))
        if goes_on:
            told.replying("msg_3", "msg_1")
        assert told.idle().stop_reason == stop_reason


def test_a_question_and_its_answers() -> None:
    told = Told()
    told.prompted()
    questions = [
        {"question": "Which?", "header": "Colour", "options": [{"label": "red", "description": "like fire"}]},
        {"question": "How many?", "options": "none", "multiple": True, "custom": False},
    ]
    turn = told.say("question.asked", id="que_1", sessionID=SESSION, questions=questions)
    (asked,) = turn.of("permission.asked")
    assert asked.type == "question"
    assert asked.title == "Colour"
    assert asked.questions[0].options[0].description == "like fire"
    assert (asked.questions[1].multiple, asked.questions[1].custom) == (True, False)
    answer = PermissionAnswer(permission_id=asked.permission_id, choice="once", answers=[["red"]])
    order = told.conversation.consent.decide(answer)
    assert order.path == "/question/que_1/reply"
    assert order.body == {"answers": [["red"], []]}, "one list for each question"


def test_a_question_that_is_not_answered_is_rejected() -> None:
    told = Told()
    told.prompted()
    turn = told.say("question.asked", id="que_1", sessionID=SESSION, questions=[])
    (asked,) = turn.of("permission.asked")
    assert told.conversation.consent.decide(reject(asked)).path == "/question/que_1/reject"
    assert told.idle().stop_reason == "refused"


def test_requests_that_were_missed_are_found_and_gone_ones_closed() -> None:
    told = Told()
    told.prompted()
    gone = told.asks("per_1")
    waiting = {"id": "per_2", "sessionID": SESSION, "permission": "bash", "patterns": ["x"], "metadata": {}}
    stale = {
        "id": "per_0",
        "sessionID": SESSION,
        "tool": {"messageID": "msg_0", "callID": "c"},
        "patterns": ["x"],
    }
    told.conversation.catch_up(
        [], status={"type": "busy"}, permissions=[waiting, stale, "odd"], questions=None, todos=None
    )
    turn = told.hear()
    assert len(turn.of("permission.asked")) == 2, "one of another turn is left out"
    (answered,) = turn.of("permission.answered")
    assert (answered.permission_id, answered.choice, answered.by) == (gone.permission_id, "lost", "box")
