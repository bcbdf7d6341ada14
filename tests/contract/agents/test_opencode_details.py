"""What the promises leave open, and this adapter settles: details of a real OpenCode's turns."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.agents.output import KEPT_END, MAX_OUTPUT
from tests.contract.agents.live_opencode import LiveOpenCode
from tests.contract.agents.recorder import allow

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]


# --- what is asked and told --------------------------------------------------------------------------------


@pytest.mark.variant
async def test_the_model_is_the_one_that_was_asked_for(opencode: LiveOpenCode) -> None:
    await opencode.recorder.run("/demo plain", model="demo-exactly-this")
    assert opencode.demo.exchanges[-1].body["model"] == "demo-exactly-this"
    await opencode.recorder.run("/demo plain")
    assert opencode.demo.exchanges[-1].body["model"] == "demo"


@pytest.mark.variant
async def test_it_says_when_it_tries_again(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.run("/demo errorthen 1")
    assert turn.of("agent.status")[0].retry_at > "2026"


async def test_no_call_is_spent_on_a_title(opencode: LiveOpenCode) -> None:
    opencode.demo.exchanges.clear()
    await opencode.recorder.run("/demo plain")
    assert len(opencode.demo.exchanges) == 1


async def test_an_edit_shows_its_change_before_it_is_allowed(opencode: LiveOpenCode) -> None:
    opencode.clear()
    turn = await opencode.recorder.run("/demo edit", allow)
    first, second = turn.of("permission.asked")
    assert first.path == second.path == "notes.md"
    assert first.rule == "edit: *"
    assert "+- second: done" in second.diff
    assert "-- second: open" in second.diff
    assert str(opencode.workspace) not in second.diff
    changes = [(changed.path, changed.change) for changed in turn.of("file.changed")]
    assert changes == [("notes.md", "created"), ("notes.md", "modified")]
    _, edit = [tool for tool in turn.tools.values() if tool.tool_kind == "edit"]
    assert (edit.diffs[0]["additions"], edit.diffs[0]["deletions"]) == (2, 1)
    assert turn.tool("read").locations == [{"path": "notes.md"}]


async def test_a_failed_command_tells_its_exit_code(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.run("/demo run exit 3", mode="auto")
    assert turn.tool("execute").error == "exit code 3"


@pytest.mark.variant
async def test_a_flood_of_output_is_cut_and_counted(opencode: LiveOpenCode) -> None:
    turn = await opencode.recorder.run("/demo flood 60000", mode="auto")
    pieces = turn.of("tool.output")
    assert len(turn.tool("execute").output) <= MAX_OUTPUT + KEPT_END
    # A slow OpenCode does not read the very last lines: the command has ended before.
    assert "line 59" in pieces[-1].text or "line 60000" in pieces[-1].text


# --- prompts that nobody should send -----------------------------------------------------------------------


async def test_a_long_prompt_and_answer_are_kept_whole(opencode: LiveOpenCode) -> None:
    text = "ü" * 60_000
    turn = await opencode.recorder.run(f"/demo say {text}")
    assert turn.text == text


@pytest.mark.parametrize(
    "prompt", ["/demo say \x00\x01\x1b[31mred\x7f", "/demo say \ud83d", "/demo say \u202egnp"]
)
async def test_strange_characters_do_no_harm(opencode: LiveOpenCode, prompt: str) -> None:
    turn = await opencode.recorder.run(prompt)
    assert turn.stop_reason == "end_turn"
    assert "\0" not in turn.text
    turn.text.encode()


async def test_nothing_is_downloaded(opencode: LiveOpenCode) -> None:
    await opencode.recorder.run("/demo plain")
    home = Path(opencode.context.home)
    folder = home / ".config" / "opencode"
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == [
        "node_modules",
        "package-lock.json",
        "package.json",
    ]
    assert (folder / "node_modules").is_symlink()
    logs = "".join(
        path.read_text(errors="replace") for path in (home / ".local/share/opencode/log").iterdir()
    )
    assert "npmjs" not in logs
