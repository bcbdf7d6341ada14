"""What an agent asks, as questions to a person, and what "for this session" would allow."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.agents.acp import requests, tools
from sidecar.agents.acp.questions import DECLINED, Form
from sidecar.agents.policy import Policy

WORKSPACE = "/workspace"
OPTIONS = [
    {"optionId": "a", "name": "Always", "kind": "allow_always"},
    {"optionId": "b", "name": "Once", "kind": "allow_once"},
    {"optionId": "c", "name": "No", "kind": "reject_once"},
]


def request(command: Any) -> requests.Request:
    given = {"kind": "execute", "rawInput": {"command": command}}
    return requests.permission_request(given, OPTIONS, WORKSPACE)


def test_answers_are_chosen_by_their_kind() -> None:
    asked = request("ls")
    assert asked.chosen(allow=True)["outcome"]["optionId"] == "b"
    assert asked.chosen(allow=False)["outcome"]["optionId"] == "c"
    only_always = requests.permission_request({"kind": "execute"}, OPTIONS[:1], WORKSPACE)
    assert only_always.chosen(allow=True)["outcome"]["optionId"] == "a"
    assert only_always.chosen(allow=False) == requests.CANCELLED


def allowed_after(first: str, second: str) -> bool:
    policy, once, later = Policy(), request(first), request(second)
    policy.allow(once.permission, once.always)
    return policy.allows(later.permission, later.patterns)


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        ("git status", "git log", True),
        ("git status", "git status; rm -rf /", False),
        ("git status", "git $(rm -rf /)", False),
        ("git status", "git log > /etc/passwd", False),
        ("cat a && cat b", "cat a && cat b", True),
        ("cat a && cat b", "cat a && cat c", False),
        ("cat *; ls", "cat x; rm -rf /; ls", False),
        ("cat *; ls", "cat *; ls", False),
    ],
)
def test_for_this_session_never_allows_more_than_it_says(first: str, second: str, allowed: bool) -> None:
    assert allowed_after(first, second) is allowed


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("/workspace/a.txt", "edit"),
        ("a.txt", "edit"),
        ("/etc/passwd", "external_directory"),
        ("../x", "external_directory"),
        ("/workspace/../etc/passwd", "external_directory"),
    ],
)
def test_an_edit_outside_of_the_workspace_is_another_matter(path: str, permission: str) -> None:
    given = {"kind": "edit", "locations": [{"path": path}]}
    assert requests.permission_request(given, OPTIONS, WORKSPACE).permission == permission


@pytest.mark.parametrize(
    "raw",
    [["bash", "-lc", "echo hi"], "/bin/bash -lc 'echo hi'", "echo hi", ["echo", "hi"]],
)
def test_a_command_is_a_line_however_it_was_given(raw: Any) -> None:
    assert tools.command({"kind": "execute", "rawInput": {"command": raw}}) == "echo hi"


def test_a_command_that_is_only_a_title_is_one() -> None:
    assert tools.command({"kind": "execute", "title": "echo hi"}) == "echo hi"
    assert tools.command({"kind": "read", "title": "echo hi"}) == ""


SCHEMA = {
    "type": "object",
    "properties": {
        "colour": {"type": "string", "title": "Colour", "oneOf": [{"const": "r", "title": "Red"}]},
        "colour_custom": {"type": "string"},
        "sizes": {"type": "array", "items": {"enum": ["s", "l"]}},
        "sure": {"type": "boolean"},
        "count": {"type": "integer"},
    },
}


def test_a_form_is_questions_and_answers_are_its_content() -> None:
    form = Form({"message": "Choose", "mode": "form", "requestedSchema": SCHEMA})
    asked = form.asked("p", "c")
    assert [question.header for question in asked.questions] == ["Colour", "", "", ""]
    assert [question.custom for question in asked.questions] == [True, False, False, True]
    assert form.accepted([["Red"], ["s", "l"], ["Yes"], ["3"]])["content"] == {
        "colour": "r",
        "sizes": ["s", "l"],
        "sure": True,
        "count": 3,
    }
    assert form.accepted([["Blue"]])["content"] == {"colour_custom": "Blue"}


def test_own_words_are_a_note_to_none_of_what_was_offered() -> None:
    """As Codex asks."""
    choices = [{"const": "red", "title": "red"}, {"const": "None of the above", "title": "None of the above"}]
    properties = {"q": {"type": "string", "title": "Which?", "oneOf": choices}, "q_note": {"type": "string"}}
    form = Form({"message": "Answer", "mode": "form", "requestedSchema": {"properties": properties}})
    (question,) = form.asked("p", "").questions
    assert [option.label for option in question.options] == ["red"] and question.custom
    assert form.accepted([["red"]])["content"] == {"q": "red"}
    assert form.accepted([["moss"]])["content"] == {"q": "None of the above", "q_note": "moss"}


def test_a_form_of_nonsense_is_no_question_and_harms_nothing() -> None:
    bad: list[dict[str, Any]] = [{}, {"requestedSchema": []}, {"requestedSchema": {"properties": {"a": 3}}}]
    for params in bad:
        assert Form(params).accepted([["x"]])["action"] == "accept"
    assert DECLINED == {"action": "decline"}
