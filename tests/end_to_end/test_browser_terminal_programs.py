"""What programs draw is on the page as in a reference terminal; what hostile ones want is not done."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests import needs
from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.browser_terminal import TerminalScreen

_CORPUS = Path(__file__).resolve().parents[1] / "fixtures" / "terminals" / "hostile.json"

# By name: the command, what it shows when it is there, and the keys that make it draw more.
PROGRAMS = {
    "vim": ("vim -u NONE +'set number' /tmp/many", " 2 2", ["G", "/250", "Enter", "i", "typed", "Escape"]),
    "less": ("less /tmp/many", "20", ["Space", "/250", "Enter", "n", "Control+b"]),
    "tmux": ("tmux -f /dev/null new 'cat /tmp/many; sh'", "\n500", ["Control+b", "%", "echo right", "Enter"]),
    "htop": ("htop", "PID", ["ArrowDown", "F5"]),
}
# A Python program: progress, colours of all kinds, and characters that are wide or made of several.
DRAWING = r"""
import time
for n in range(0, 101, 4):
    print(f"\r[{'#' * (n // 4):<25}] {n}%", end="", flush=True)
    time.sleep(0.01)
print()
for red in range(0, 256, 32):
    print("".join(f"\x1b[48;2;{red};{green};128m " for green in range(0, 256, 8)) + "\x1b[0m")
print("".join(f"\x1b[48;5;{n}m{n:4}" for n in range(256)) + "\x1b[0m")
print("\u4f60\u597d \u3053\u3093\u306b\u3061\u306f \uac00 e\u0301 \U0001f44d")
print("\u2764\ufe0f \U0001f1e9\U0001f1ea")
print("\U0001f468\u200d\U0001f469\u200d\U0001f467 done-" + "drawing")
"""


@pytest.mark.parametrize(
    "program", ["vim", *(pytest.param(name, marks=pytest.mark.variant) for name in ("less", "tmux", "htop"))]
)
def test_full_screen_programs(open_window: OpenWindow, box: str, program: str) -> None:
    needs.tool(program, shutil.which(program))
    command, words, keys = PROGRAMS[program]
    terminal = TerminalScreen(open_window(), box).open_one()
    terminal.run(f"seq 1 500 > /tmp/many; {command}")
    terminal.wait_for(words)
    for key in keys:
        if len(key) > 1 and key[0].isupper():
            terminal.page.keyboard.press(key)
        else:
            terminal.type(key)
    if program != "htop":  # its numbers change while they are compared
        terminal.expect_reference()
    terminal.window.shot(f"terminal-{program}")


def test_colours_progress_emoji_and_wide_characters(open_window: OpenWindow, box: str) -> None:
    terminal = TerminalScreen(open_window(), box).open_one()
    encoded = base64.b64encode(DRAWING.encode()).decode()
    terminal.run(f"echo {encoded} | base64 -d | python3 -")
    terminal.wait_for("done-drawing")
    terminal.expect_reference()
    terminal.window.shot("terminal-drawing")


def test_a_storm_of_sizes(open_window: OpenWindow, box: str) -> None:
    terminal = TerminalScreen(open_window(), box).open_one()
    terminal.run(
        "for i in $(seq 1 3000); do echo line $i of many that are longer than the screen; done; echo st'orm'"
    )
    for step in range(30):
        terminal.page.set_viewport_size({"width": 1100 + step % 7 * 120, "height": 400 + step % 5 * 110})
    terminal.wait_for("\nstorm")
    terminal.expect_reference()


def test_replayed_hostile_sequences_are_not_answered_and_do_nothing(
    open_window: OpenWindow, box: str
) -> None:
    first = open_window()
    terminal = TerminalScreen(first, box).open_one()
    corpus = json.loads(_CORPUS.read_text())
    hostile = "\r\n".join([*corpus["queries"], *corpus["actions"]]).encode()
    encoded = base64.b64encode(hostile).decode()
    for start in range(0, len(encoded), 3000):
        terminal.run(f"printf %s {encoded[start : start + 3000]} {'>>' if start else '>'} /tmp/hostile")
    # What is answered now is not for the shell. Once the last word is shown all is answered that will be.
    terminal.run(
        "stty -echo -icanon; base64 -d /tmp/hostile; echo sh'own'; read -rs -d '~'; stty sane; clear;"
        " echo sur'vived'"
    )
    terminal.wait_for("shown")
    terminal.type("~")
    terminal.wait_for("survived")
    first.close()
    second = open_window(permissions=["clipboard-read", "clipboard-write"])
    second.page.add_init_script(
        "window.written = []; navigator.clipboard.writeText = async t => written.push(t)"
    )
    again = TerminalScreen(second, box).wait_live()
    again.wait_for("survived")
    assert again.typed == 0
    assert second.page.evaluate("written") == []
    expect(again.page.get_by_test_id("terminal-offer")).to_have_count(0)
    assert "\u202e" not in (again.tabs.first.get_attribute("title") or "")
    again.focus()
    again.run("echo works 'still'")
    again.wait_for("\nworks still")


def test_the_clipboard_and_addresses_need_a_click(open_window: OpenWindow, box: str) -> None:
    window = open_window(permissions=["clipboard-read", "clipboard-write"])
    terminal = TerminalScreen(window, box).open_one()
    window.page.evaluate("navigator.clipboard.writeText('before')")
    terminal.run("printf '\\e]52;c;ZnJvbSB0aGUgYm94\\a'; printf '\\e]52;c;?\\a'; echo off'ered'")
    terminal.wait_for("\noffered")
    offer = window.page.get_by_test_id("terminal-offer")
    expect(offer).to_contain_text("copy 12 characters")
    assert window.page.evaluate("navigator.clipboard.readText()") == "before"
    offer.get_by_role("button", name="Copy").click()
    expect(offer).to_have_count(0)
    assert window.page.evaluate("navigator.clipboard.readText()") == "from the box"
