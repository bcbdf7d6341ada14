"""A conversation as Markdown: all that was said is in it, and nothing pretends to be something else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sessions_app.services import conversation, markdown

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "conversations").glob("*.json"))
TURN = "6f1c2a34-0d5e-4b7f-9a10-1c2d3e4f5a01"


def told(*events: tuple[str, dict[str, Any]]) -> str:
    """What these events of one turn become."""
    started = ("turn.started", {"prompt": "Do it\nwell", "by": "Alice"})
    rows = [
        {"seq": number, "gen": 1, "turn": TURN, "ts": "2026-11-22T10:00:00.040Z", "kind": kind, "data": data}
        for number, (kind, data) in enumerate([started, *events], 1)
    ]
    return markdown.render(conversation.fold(rows), title="A *title*")


def said(text: str) -> tuple[str, dict[str, Any]]:
    return "message.delta", {"part_id": "p", "offset": 0, "text": text}


def ran(output: str, **more: Any) -> list[tuple[str, dict[str, Any]]]:
    call = {"tool_call_id": "t", "name": "bash", "tool_kind": "execute", "status": "completed"}
    printed = {"tool_call_id": "t", "offset": 0, "text": output}
    return [("tool.upsert", {**call, "input": {"command": "ls `pwd`"}, **more}), ("tool.output", printed)]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_prompt_message_and_command_is_in_it(path: Path) -> None:
    folded = conversation.fold(json.loads(path.read_text("utf-8"))["events"])
    text = markdown.render(folded, title="Any")
    words = set(text.replace("> ", "").split())
    for turn in folded["turns"]:
        assert set(turn["prompt"].split()) <= words
        for item in turn["items"]:
            if item["type"] in {"message", "thought"}:
                assert set(item["text"].split()) <= words


def test_a_turn_as_a_person_reads_it() -> None:
    text = told(said("I look."), *ran("a.txt\n"), ("turn.ended", {"stop_reason": "end_turn"}))
    assert text == (
        "# A \\*title\\*\n\n## Alice, 2026-11-22 10:00:00 UTC\n\n> Do it\n> well\n\nI look.\n\n"
        "**Ran** `` ls `pwd` `` (completed)\n\n```\na.txt\n```\n"
    )


def test_what_a_tool_printed_cannot_end_its_block() -> None:
    text = told(*ran("```\n# Not a heading\n````\n"))
    assert re.search(r"^`{5}\n```\n# Not a heading\n````\n`{5}$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("message", "closed"),
    [
        ("```py\nx = 1", "```py\nx = 1\n```"),
        ("~~~\n```\n", "~~~\n```\n~~~"),
        ("```\na\n```", "```\na\n```"),
        ("```md\n```py\nx = 1", "```md\n```py\nx = 1\n```"),
        ("```md\n```py\nx = 1\n```", "```md\n```py\nx = 1\n```"),
        ("````md\n```py\nx\n```\nand", "````md\n```py\nx\n```\nand\n````"),
        ("```\na\n````  \nb", "```\na\n````  \nb"),
        ("```a`b``` is code", "```a`b``` is code"),
        ("~~~ a`b\nc", "~~~ a`b\nc\n~~~"),
    ],
)
def test_a_block_that_was_broken_off_ends_with_its_message(message: str, closed: str) -> None:
    assert f"\n\n{closed}\n\n*Ended: interrupted*" in told(
        said(message), ("turn.ended", {"stop_reason": "interrupted"})
    )


def test_of_long_output_there_is_the_end() -> None:
    text = told(*ran("x" * 50_000 + "the end"))
    assert "[Only the end.]" in text and "the end\n```" in text
    assert len(text) < markdown.MOST_OUTPUT + 1000


def test_errors_and_answers_are_told() -> None:
    asked = {"permission_id": "q", "type": "tool", "title": "Run", "command": "rm -rf /"}
    answer = {
        "permission_id": "q",
        "choice": "reject",
        "by": "user",
        "user": "Bob",
        "message": "No <b>way</b>",
    }
    wrong = {"class": "auth", "message": "The key is *wrong*."}
    text = told(("permission.asked", asked), ("permission.answered", answer), ("error", wrong))
    assert "*Permission for* `rm -rf /`*: rejected by Bob: No \\<b\\>way\\</b\\>*" in text
    assert "*Error: The key is \\*wrong\\*.*" in text
    assert "*The agent is still working on this.*" in text
