"""The demo model's scripts, without a server: the same request always gets the same reply."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from sidecar import demo_model
from sidecar.demo_model import play, scripts
from sidecar.demo_model.tools import Offered
from sidecar.demo_model.wires.base import Asked, Entry, Text, ToolUse

SCHEMAS = {
    "write": ("filePath", "content"),
    "edit": ("filePath", "oldString", "newString"),
    "bash": ("command", "description"),
    "read": ("filePath",),
    "todowrite": ("todos",),
    "question": ("questions",),
    "task": ("description", "prompt", "subagent_type"),
}
TOOLS = {
    name: Offered({"properties": {key: {"type": "string"} for key in keys}}) for name, keys in SCHEMAS.items()
}


def asked(*history: Entry, tools: dict[str, Offered] | None = None, system: str = "") -> Asked:
    return Asked("demo", True, system, history, TOOLS if tools is None else tools)


def prompt(text: str, *after: Entry, **more: Any) -> Asked:
    return asked(Entry("user", text), *after, **more)


def run(
    text: str, *, results: dict[str, str] | None = None, tools: dict[str, Offered] | None = None
) -> list[play.Played]:
    """A whole turn with an agent whose tools answer `results`, by tool name."""
    history = [Entry("user", text)]
    replies = []
    while True:
        played = play.play(asked(*history, tools=tools, system="Working directory: /workspace"))
        replies.append(played)
        if not played.reply.calls:
            return replies
        assert len(replies) < 20
        history.append(Entry("assistant", played.reply.text))
        history += [Entry("call", call.id) for call in played.reply.calls]
        history += [Entry("result", (results or {}).get(call.name, "done")) for call in played.reply.calls]


def test_a_free_prompt_plans_writes_two_files_and_runs_the_test() -> None:
    replies = run(
        "write a small web app with a test and run it", results={"bash": "Ran 4 tests in 0.1s\n\nOK"}
    )
    calls = [call for played in replies for call in played.reply.calls]
    assert [call.name for call in calls] == ["todowrite", "write", "write", "todowrite", "bash", "todowrite"]
    assert "scripted demo model" in replies[0].reply.text
    assert calls[1].arguments["filePath"] == "/workspace/app.py"  # type: ignore[index]
    for call in calls[1:3]:
        assert isinstance(call.arguments, dict)
        ast.parse(call.arguments["content"])
    assert "```bash" in replies[-1].reply.text
    assert len({call.id for call in calls}) == len(calls)


def test_the_summary_does_not_claim_a_test_run_that_was_refused() -> None:
    replies = run("build it", results={"bash": "The user rejected permission to use this tool."})
    assert "Not quite done" in replies[-1].reply.text
    assert "really ran" not in replies[-1].reply.text


def test_a_later_free_prompt_does_not_write_the_files_again() -> None:
    first = Entry("user", "write a small web app")
    played = play.play(asked(first, Entry("assistant", "Done"), Entry("user", "thanks, and now?")))
    assert played.script == "again"


@pytest.mark.parametrize("tag", ["environment_context", "session_context", "system-reminder"])
def test_what_an_agent_says_of_itself_is_no_earlier_prompt(tag: str) -> None:
    before = Entry("user", f"<{tag}>\n  This is where\n  you are.\n</{tag}>")
    assert play.play(asked(before, Entry("user", "write a small web app"))).script == "default"


@pytest.mark.parametrize("name", sorted(scripts.catalogue()))
def test_every_script_plays_to_its_end_and_says_what_was_expected(name: str) -> None:
    text = f"/demo {name}"
    replies = run(text, results={"bash": "Ran 4 tests; cleaned-up"})
    parts = [part for played in replies for part in played.reply.parts]
    played_text = [part.sent for part in parts if isinstance(part, Text)]
    results = ["Ran 4 tests; cleaned-up" if action.do == "bash" else "done" for action in _actions(name)]
    expected = demo_model.expected(text, results=results)
    if replies[-1].failure is None and not replies[-1].page:
        assert tuple(played_text) == expected.messages
        assert sum(isinstance(part, ToolUse) for part in parts) == len(expected.actions)


def test_without_a_tool_its_steps_are_said_with_the_next_and_cost_nothing() -> None:
    goal = "write a small web app with a test and run it"
    tools = {name: tool for name, tool in TOOLS.items() if name != "todowrite"}
    replies = run(goal, results={"bash": "Ran 4 tests"}, tools=tools)
    expected = demo_model.expected(goal, without={"todo"})
    assert len(replies) == expected.calls < demo_model.expected(goal).calls
    assert "".join(played.reply.text for played in replies) == "".join(expected.messages)
    assert sum(played.reply.usage.input for played in replies) == expected.usage.input
    calls = [call for played in replies for call in played.reply.calls]
    assert [call.name for call in calls] == [action.do for action in expected.actions]


def _actions(name: str) -> list[scripts.Action]:
    return [action for step in scripts.catalogue()[name].step for action in step.action]


@pytest.mark.parametrize(
    ("text", "name", "count", "seconds"),
    [
        ("/demo long", "long", 1000, 0.02),
        ("/demo long 200 20ms", "long", 200, 0.02),
        ("please play /demo long 5 1.5s now", "long", 5, 1.5),
        ("SCRIPT:long 7", "long", 7, 0.02),
        ('"/demo long 3"', "long", 3, 0.02),
        ("/demo silence 10s", "silence", 0, 10.0),
        ("first /demo plain\nthen /demo long 9", "long", 9, 0.02),
        ("/demo nonsense", "unknown", 0, 0.0),
    ],
)
def test_a_prompt_names_a_script_with_arguments(text: str, name: str, count: int, seconds: float) -> None:
    call = scripts.named(text)
    assert call is not None
    assert (call.name, call.count, call.seconds) == (name, count, seconds)


@pytest.mark.parametrize("text", ["a demo of long", "path/demo plain", "/demolition plain", ""])
def test_other_prompts_name_none(text: str) -> None:
    assert scripts.named(text) is None


def test_run_takes_the_whole_command_as_it_stands() -> None:
    command = "echo \"a {count} b\" | sed 's/a/{result}/'"
    arguments = play.play(prompt(f"/demo run {command}")).reply.calls[0].arguments
    assert isinstance(arguments, dict)
    assert arguments["command"] == command


def test_numbered_words_show_gaps() -> None:
    text = demo_model.expected_text("/demo long 200 0ms")
    numbers = [int(word.split(":")[0]) for word in text.split()]
    assert numbers == list(range(1, 201))


def test_the_answer_to_a_question_is_repeated() -> None:
    replies = run("/demo question", results={"question": 'User answered: "Colour"="blue"'})
    assert '"Colour"="blue"' in replies[-1].reply.text


def test_a_request_without_tools_gets_a_title_made_from_the_prompt() -> None:
    lead = Entry("user", "Generate a title for this conversation:\n")
    wanted = asked(
        lead, Entry("user", "write a small web app with a test and run it"), tools={}, system="Title!"
    )
    assert play.play(wanted).reply.text == "Write a small web app with a test"
    named = asked(lead, Entry("user", "/demo error401"), tools={}, system="Title!")
    assert play.play(named).reply.text == "Demo: error401"
    assert play.play(named).failure is None


def test_a_hopeless_conversation_gets_no_summary_but_a_title() -> None:
    history = (Entry("user", "/demo hopeless"), Entry("user", "Summarize the conversation."))
    assert play.play(asked(*history, tools={}, system="You summarize.")).failure is not None
    assert play.play(asked(*history, tools={}, system="You make a title.")).failure is None


def test_a_script_that_is_named_plays_without_tools_too() -> None:
    assert play.play(prompt("/demo plain", tools={})).script == "plain"


def test_steps_whose_tools_are_not_offered_run_on_into_the_next() -> None:
    without_plan = {name: tool for name, tool in TOOLS.items() if name != "todowrite"}
    played = play.play(prompt("build something", tools=without_plan))
    assert [call.name for call in played.reply.calls] == ["write"]
    assert "scripted demo model" in played.reply.text
    assert "First the app" in played.reply.text


def test_a_reminder_of_the_agent_is_not_a_prompt() -> None:
    reminder = Entry("user", "<system-reminder>Be brief.</system-reminder>")
    assert play.turn_of(prompt("/demo plain", reminder)).prompt == "/demo plain"


def test_an_interrupted_prompt_does_not_return_with_the_next() -> None:
    played = play.play(asked(Entry("user", "/demo silence"), Entry("user", "/demo plain")))
    assert played.script == "plain"
