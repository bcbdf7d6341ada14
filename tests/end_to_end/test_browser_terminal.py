"""A terminal in a real browser: it outlives tabs and cut sockets, has several viewers, and needs no mouse."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import re
import uuid

from playwright.sync_api import expect

from tests.end_to_end.browser import PHONE, check_accessibility, check_no_sideways_scroll
from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.browser_terminal import TerminalScreen
from tests.end_to_end.client import eventually
from tests.end_to_end.screens import SessionScreen

# `make soak` cuts more often, during more.
CUTS = int(os.environ.get("TERMINAL_CUTS", "6"))
OUTPUT_BYTES = int(os.environ.get("TERMINAL_BYTES", "1500000"))

# Bytes between the marks, as they came: without what the terminal's line discipline adds.
_BETWEEN_MARKS = """async mark => {
  const parts = tap.steps.filter(step => step.bytes).map(step => step.bytes);
  const whole = await new Blob(parts).arrayBuffer();
  const text = new TextDecoder("latin1").decode(whole).replaceAll("\\r\\n", "\\n");
  const begin = text.indexOf(`\\nBEGIN ${mark}\\n`) + mark.length + 8;
  const end = text.indexOf(`\\nEND ${mark}\\n`);
  const bytes = Uint8Array.from(text.slice(begin, end), character => character.charCodeAt(0));
  return tap.base64(bytes);
}"""


def test_a_terminal_outlives_the_tab_in_which_it_was_opened(open_window: OpenWindow, box: str) -> None:
    first = open_window()
    terminal = TerminalScreen(first, box).open_one()
    mark = uuid.uuid4().hex
    # Without a prompt nothing is shown any more after this.
    terminal.run(f"kept={mark}; PS1=; echo pid=$$-")
    found = eventually(
        lambda: re.search(r"^pid=(\d+)-", terminal.text(), re.MULTILINE), 60, lambda: terminal.text()
    )
    before, opened = terminal.text().rstrip(), terminal.id
    first.close()
    again = TerminalScreen(open_window(), box).wait_live()
    assert again.id == opened
    again.wait_for(f"pid={found[1]}-")
    assert again.text().rstrip() == before
    again.run('echo "$$ still has $kept"')
    again.wait_for(f"\n{found[1]} still has {mark}")
    again.expect_reference()


def test_cut_sockets_during_a_flood_lose_and_double_nothing(open_window: OpenWindow, box: str) -> None:
    terminal = TerminalScreen(open_window(), box).open_one()
    mark = uuid.uuid4().hex[:8]
    # The marks are put together by the shell, so that they are not in what is typed.
    terminal.run(
        f"f=$(mktemp); head -c {OUTPUT_BYTES * 3 // 4} /dev/urandom | base64 > $f; "
        f"echo; echo BEGIN {mark[:4]}'{mark[4:]}'; cat $f; echo; echo END {mark[:4]}'{mark[4:]}'; "
        "sha256sum < $f; echo hashed-'it'"
    )
    # The mark is shown when it fails, and says again where the cuts were.
    for enough in sorted(random.Random(mark).sample(range(OUTPUT_BYTES * (CUTS + 1) // (CUTS + 2)), CUTS)):
        terminal.page.wait_for_function(
            "enough => tap.received > enough && tap.sockets.at(-1).readyState === 1", arg=enough, polling=20
        )
        terminal.cut()
    terminal.wait_for("\nhashed-it", timeout=240_000)
    wanted = re.search(r"^([0-9a-f]{64})  -", terminal.text(), re.MULTILINE)
    assert wanted
    came = terminal.page.evaluate(_BETWEEN_MARKS, mark)
    assert hashlib.sha256(base64.b64decode(came)).hexdigest() == wanted[1]
    # The last cut may have come when everything was there already. More there are where a connection takes
    # two tries, as on a slow machine.
    terminal.page.wait_for_function("count => tap.sockets.length >= count", arg=CUTS + 1)
    terminal.expect_reference()


def test_typing_while_the_socket_is_cut_again_and_again(open_window: OpenWindow, box: str) -> None:
    terminal = TerminalScreen(open_window(), box).open_one()
    terminal.run("cat > typed.txt")
    words = [f"word-{number:03}" for number in range(60)]
    for number, word in enumerate(words):
        terminal.type(f"{word} ")
        if number % 10 == 5:
            terminal.cut()
        if number % 10 == 9:
            terminal.page.keyboard.press("Enter")
    terminal.wait_live()
    terminal.page.keyboard.press("Control+d")
    terminal.run("wc -w < typed.txt; sha256sum < typed.txt; echo hashed-'it'")
    terminal.wait_for("\nhashed-it")
    lines = [" ".join(words[start : start + 10]) + " \n" for start in range(0, len(words), 10)]
    assert hashlib.sha256("".join(lines).encode()).hexdigest() in terminal.text()


def test_several_viewers_have_the_size_of_the_smallest_and_see_who_types(
    open_window: OpenWindow, box: str
) -> None:
    wide = TerminalScreen(open_window(), box).open_one()
    # A terminal is opened before anybody has measured its place; what is shown first may be of that size.
    rows, cols = eventually(
        lambda: (size := wide.screen()["size"]) != [24, 80] and size, 60, lambda: "it is not fitted"
    )
    small = TerminalScreen(open_window(viewport={"width": 1100, "height": 500}), box).wait_live()
    wide.page.wait_for_function(
        "rows => document.querySelector('.terminal-host').terminal.rows < rows", arg=rows, polling=100
    )
    # The line that tells of the other one takes some room, too, in each of them when it hears of it.
    eventually(
        lambda: wide.screen()["size"] == small.screen()["size"],
        20,
        lambda: f"{wide.screen()['size']} beside {small.screen()['size']}",
    )
    small.focus()
    small.run("echo seen by 'both'")
    wide.wait_for("\nseen by both")
    expect(wide.company).to_contain_text("2 watching")
    expect(wide.company).to_contain_text("typed last")
    expect(small.company).to_contain_text("you typed last")
    small.window.close()
    wide.page.wait_for_function(
        "size => { const { terminal } = document.querySelector('.terminal-host');"
        " return terminal.rows === size[0] && terminal.cols === size[1] }",
        arg=[rows, cols],
        polling=100,
    )
    expect(wide.company).to_have_count(0)


def test_tabs_panes_names_and_the_end_of_a_program(open_window: OpenWindow, box: str) -> None:
    window = open_window()
    terminal = TerminalScreen(window, box).open_one()
    first = terminal.id
    terminal.run("printf '\\e]2;builds\\a'")
    expect(terminal.tab("builds")).to_be_visible()
    terminal.choose("Rename")
    expect(window.page.locator("input:focus")).to_be_visible()
    window.page.keyboard.type("Tests")
    window.page.keyboard.press("Enter")
    expect(terminal.tab("Tests")).to_be_visible()
    target = window.page.get_by_role("button", name="Close Tests", exact=True).bounding_box()
    assert target and min(target["width"], target["height"]) >= 24
    terminal.choose("New one beside it")
    panes = window.page.get_by_test_id("terminal")
    expect(panes).to_have_count(2)
    expect(terminal.current).not_to_have_attribute("data-terminal", first)
    terminal.wait_live()
    expect(terminal.current.locator("textarea")).to_be_focused()
    terminal.run("exit 7")
    expect(terminal.state).to_have_text(re.compile("ended with 7"))
    terminal.state.get_by_role("button", name="Remove").click()
    expect(panes).to_have_count(1)
    assert terminal.id == first
    window.page.reload()
    expect(terminal.tab("Tests")).to_be_visible()
    terminal.choose("Close")
    window.page.get_by_role("dialog").get_by_role("button", name="Close it").click()
    expect(terminal.tab("Tests")).to_have_count(0)


def test_the_keyboard_gets_in_and_out(open_window: OpenWindow, box: str) -> None:
    window = open_window()
    session = SessionScreen(window, box)
    page = window.page
    session.composer.focus()
    page.keyboard.press("Control+Backquote")
    terminal = TerminalScreen(window).wait_live()
    typing = terminal.current.locator("textarea")
    expect(typing).to_be_focused()
    # Everything else is the program's, the app's own shortcuts and Tab too.
    terminal.run("cat -v")
    page.keyboard.press("Control+k")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    terminal.wait_for("^K")
    expect(typing).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+Shift+Backquote")
    expect(page.locator(":focus")).to_have_attribute("data-testid", "terminal-tab")
    terminal.focus()
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+Backquote")
    expect(session.composer).to_be_focused()
    expect(page.get_by_test_id("terminal")).to_have_count(0)


def test_a_terminal_on_a_phone(open_window: OpenWindow, box: str) -> None:
    window = open_window(viewport=PHONE, has_touch=True, is_mobile=True)
    terminal = TerminalScreen(window, box)
    terminal.open_one()
    terminal.focus()
    terminal.type("echo on a 'phone'")
    terminal.page.keyboard.press("Enter")
    terminal.wait_for("\non a phone")
    terminal.key_bar.get_by_role("button", name="Up").click()
    terminal.page.keyboard.press("Enter")
    terminal.page.wait_for_function(
        "() => document.querySelector('.terminal-host').terminal.buffer.active.cursorY > 3", polling=100
    )
    terminal.run("cat")
    terminal.key_bar.get_by_role("button", name="Control").click()
    terminal.type("c")
    terminal.wait_for("^C")
    check_no_sideways_scroll(terminal.page)
    check_accessibility(window, "phone-terminal")


def test_it_looks_right_in_light_and_dark(open_window: OpenWindow, box: str) -> None:
    window = open_window()
    terminal = TerminalScreen(window, box).open_one()
    terminal.run(
        "printf '\\e[31mred \\e[1;32mgreen\\e[0m \\e[38;2;255;100;0mtrue colour\\e[0m 👍 你好\\n'; false"
    )
    terminal.wait_for("true colour")
    check_accessibility(window, "terminal")
    terminal.choose("Screen reader mode on")
    expect(window.page.locator(".xterm-accessibility")).to_be_attached()
    check_accessibility(window, "terminal-screen-reader")
    terminal.choose("Screen reader mode off")
