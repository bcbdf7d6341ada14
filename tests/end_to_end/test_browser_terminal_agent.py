"""Terminals and the agent: one's words go to the other by a click only, and what it runs is watched live."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.end_to_end.browser import NOTICES, Glimpses
from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.browser_terminal import TerminalScreen
from tests.end_to_end.client import Client
from tests.end_to_end.screens import SessionScreen


def test_a_command_of_the_chat_runs_in_a_terminal_by_a_click_only(
    open_window: OpenWindow, box: str, client: Client
) -> None:
    session = SessionScreen(open_window(), box)
    turn = session.send("/demo command echo in-the-$((40+2)); pwd").wait()
    run = turn.article.get_by_test_id("run-code")
    expect(run).to_be_visible()
    assert client.get(f"/sessions/{box}/terminals/")["results"] == []
    run.click()
    terminal = TerminalScreen(session.window).wait_live()
    terminal.wait_for("\nin-the-42\n/workspace")
    expect(terminal.current.locator("textarea")).to_be_focused()
    # The same shell takes the next one, and none with characters that nobody can see.
    hidden = session.send("/demo command echo of-both-$((50+5)) #\u200b").wait()
    notices = Glimpses(session.window, NOTICES)
    hidden.article.get_by_test_id("run-code").click()
    notices.expect("characters that cannot be seen")
    plain = session.send("/demo command echo one-of-$((50+6))").wait()
    plain.article.get_by_test_id("run-code").click()
    terminal.wait_for("\none-of-56")
    assert "of-both" not in terminal.text()
    expect(terminal.tabs).to_have_count(1)
    with terminal.page.expect_download() as download:
        terminal.choose("Download the transcript")
    assert download.value.suggested_filename == "Terminal 1.txt"
    assert "\none-of-56\n" in download.value.path().read_text("utf-8")


def test_a_selection_and_what_failed_go_to_the_agent(open_window: OpenWindow, box: str) -> None:
    window = open_window()
    terminal = TerminalScreen(window, box).open_one()
    session = SessionScreen(window)
    terminal.run("echo select 'me'; ls /no-such-place")
    terminal.wait_for("No such file")
    expect(window.page.locator(".command-mark[data-outcome=failed]")).to_have_count(1)
    terminal.choose("Send the last failure to the agent")
    expect(session.composer).to_have_value(
        re.compile(r"\$ echo select .*; ls /no-such-place\n.*No such file", re.DOTALL)
    )
    expect(session.composer).to_be_focused()
    session.composer.fill("")
    terminal.current.locator(".terminal-host").evaluate("host => host.terminal.selectAll()")
    terminal.current.get_by_test_id("send-selection").click()
    expect(session.composer).to_have_value(
        re.compile(r"^From the terminal:\n\n```\n.*\nselect me\n", re.DOTALL)
    )
    turn = session.send("/demo plain")
    session.composer.fill("")
    turn.wait()


def test_a_command_of_the_agent_is_watched_in_a_terminal_while_it_runs(
    open_window: OpenWindow, box: str
) -> None:
    window = open_window()
    session = SessionScreen(window, box)
    command = (
        r"mkfifo gate; printf 'half a line\rat 2\x1b[K\n'; read -r word < gate; echo came: $word; rm gate"
    )
    turn = session.send(f"/demo run {command}")
    turn.asked().allow()
    card = turn.tool("execute")
    card.get_by_test_id("output-as-terminal").click()
    screen = card.get_by_test_id("output-terminal")
    expect(screen).to_contain_text("at 2")
    expect(card).to_have_attribute("data-status", "in_progress")
    window.shot("agent-command-live")
    # Meanwhile a person works beside it, in the same box.
    window.page.get_by_test_id("tab-terminal").click()
    TerminalScreen(window).open_one().run("echo hello > gate")
    expect(screen).to_contain_text("came: hello")
    expect(card).to_have_attribute("data-status", "completed")
    turn.wait()
    assert _rows(screen)[:2] == ["at 2", "came: hello"]


def test_the_agents_own_interface(open_window: OpenWindow, box: str, owner: Client) -> None:
    window = open_window()
    terminal = TerminalScreen(window, box)
    window.page.get_by_role("button", name="OpenCode's own interface").click()
    terminal.wait_live()
    terminal.wait_for("ctrl+p commands")
    # It is attached to the session's server, and has its model.
    terminal.wait_for("demo")
    # A click would reach the program, which has a menu for what was said before.
    terminal.current.locator("textarea").focus()
    terminal.type("typed here")
    terminal.wait_for("typed here")
    window.shot("terminal-opencode")
    # Where it shows code it loads down what it colours that with: the session would wait for consent to that.
    [opened] = owner.get(f"/sessions/{box}/terminals/")["results"]
    owner.call("DELETE", f"/sessions/{box}/terminals/{opened['id']}/")


def _rows(screen: Locator) -> list[str]:
    """What is on it, line by line."""
    rows: list[str] = screen.locator(".xterm-rows > div").all_inner_texts()
    return [row.replace("\xa0", " ").rstrip() for row in rows]
