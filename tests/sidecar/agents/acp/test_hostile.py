"""Agents are hostile: no line, no update and no request of theirs does harm."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sidecar.agents.acp.calls import ASK_PERMISSION, ASK_QUESTION
from sidecar.agents.acp.conversation import Conversation
from sidecar.agents.acp.peer import _decoded
from sidecar.agents.base import EventQueue
from sidecar.agents.policy import Policy
from sidecar.agents.turns import Turns
from sidecar.protocol.messages import check_data, to_data

UPDATES: list[dict[str, Any]] = [
    {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "hi"}, "messageId": "m"},
    {"sessionUpdate": "agent_thought_chunk", "content": {"type": "text", "text": "hm"}},
    {"sessionUpdate": "plan", "entries": [{"content": "a", "status": "pending", "priority": "high"}]},
    {"sessionUpdate": "available_commands_update", "availableCommands": [{"name": "init"}]},
    {
        "sessionUpdate": "tool_call",
        "toolCallId": "c",
        "kind": "execute",
        "status": "in_progress",
        "rawInput": {"command": ["bash", "-lc", "ls"]},
        "locations": [{"path": "a", "line": 3}],
        "content": [
            {"type": "diff", "path": "a", "oldText": "x", "newText": "y"},
            {"type": "content", "content": {"type": "text", "text": "out"}},
        ],
        "_meta": {"claudeCode": {"toolName": "Bash", "parentToolUseId": "b"}},
    },
    {"sessionUpdate": "tool_call_update", "toolCallId": "c", "status": "completed"},
]
JUNK: tuple[Any, ...] = (
    *(None, True, -1, 1e308, float("nan"), "", "\ud800", "x" * 3000),
    *([], [[[]]], {}, {"a": {}}, [{"type": 3}]),
)


def mangled(value: Any, chance: random.Random) -> Any:
    if chance.random() < 0.12:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {key: mangled(each, chance) for key, each in value.items() if chance.random() > 0.05}
    if isinstance(value, list):
        return [mangled(each, chance) for each in value] * chance.choice((1, 1, 2))
    return value


@pytest.mark.parametrize("seed", range(150))
async def test_mangled_updates_and_requests_do_no_harm(seed: int) -> None:
    chance = random.Random(seed)
    queue = EventQueue()
    turns = Turns(queue)
    conversation = Conversation(
        turns, Policy(mode="auto"), "/workspace", remarks="", commands_changed=lambda: None
    )
    conversation.session = "s"
    turns.begin("a-turn-of-this-test")
    conversation.begin("a-turn-of-this-test")
    conversation.open()
    for update in UPDATES:
        conversation.handle({"sessionId": "s", "update": mangled(update, chance)})
    request = mangled({"toolCall": UPDATES[4], "options": [{"optionId": "y", "kind": "allow_once"}]}, chance)
    conversation.consent.refused = True  # So that no answer of a person is waited for.
    if isinstance(request, dict):
        await conversation.answer(ASK_PERMISSION, {**request, "sessionId": "s"})
    conversation.cancel()
    await conversation.answer(ASK_QUESTION, {"requestedSchema": mangled({"properties": {"a": {}}}, chance)})
    conversation.end()
    turns.end("end_turn")
    queue.end()
    async for event in queue.read():
        check_data(event.kind, to_data(event.data))


NO_MESSAGES = (
    *(b"", b"for people", b"[]", b"3", b'"x"', b"\xff", b"[" * 100_000),
    *(b'{"method": 3}', b'{"id": [], "result": 1}'),
)


@pytest.mark.parametrize("line", NO_MESSAGES)
def test_a_line_that_is_no_message_is_left_out(line: bytes) -> None:
    assert _decoded(line) is None


def test_an_error_is_made_whole() -> None:
    decoded = _decoded(b'{"id": 1, "error": "oh"}')
    assert decoded is not None
    assert decoded["error"] == {"code": 0, "message": "", "data": None}
