"""Requests: what is asked, who answers, and what an answer brings about."""

from __future__ import annotations

import pytest

from sidecar.agents.base import UnknownPermission
from sidecar.protocol.frames import PermissionAnswer
from tests.contract.agents.recorder import allow, allow_for_session, reject
from tests.sidecar.agents.opencode.told import SESSION, Told


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
