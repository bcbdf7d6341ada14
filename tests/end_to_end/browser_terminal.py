"""A terminal in the page: typing, reading, cutting, and comparing with a reference terminal."""

from __future__ import annotations

import itertools
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.end_to_end import reference
from tests.end_to_end.browser import PATIENCE_MS, Window
from tests.end_to_end.client import eventually

# Notes what comes down and goes up on the sockets of terminals, in the page itself, before all else.
_TAP = """() => {
  const RealSocket = window.WebSocket;
  const base64 = bytes => {
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192)
      text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(text);
  };
  window.tap = { steps: [], typed: 0, sockets: [], received: 0, base64 };
  window.WebSocket = class extends RealSocket {
    constructor(url) {
      super(url);
      if (!/\\/terminals\\//.test(url)) return;
      tap.sockets.push(this);
      this.addEventListener("message", ({ data }) => this.note(data));
    }
    note(data) {
      if (data instanceof ArrayBuffer) {
        const offset = Number(new DataView(data).getBigUint64(1));
        const from = Math.max(0, (tap.end ?? offset) - offset);
        const bytes = new Uint8Array(data).slice(9 + from);
        if (!bytes.length) return;
        tap.end = offset + data.byteLength - 9;
        tap.received += bytes.length;
        tap.steps.push({ bytes });
      } else {
        const { type, rows, cols, reset, offset } = JSON.parse(data);
        if (type === "reset" || (type === "hello" && reset)) {
          tap.steps.push({ reset: true });
          tap.end = offset;
        }
        if (type === "hello" || type === "size") tap.steps.push({ rows, cols });
      }
    }
    send(data) {
      if (typeof data !== "string" && tap.sockets.includes(this)) tap.typed += data.byteLength - 9;
      super.send(data);
    }
  };
}"""

_TEXT = """() => {
  const current = "[data-testid=terminal][data-current=true] .terminal-host";
  const { terminal } = document.querySelector(current) ?? {};
  if (!terminal) return "";
  const { active } = terminal.buffer;
  const rows = [];
  for (let y = 0; y < active.length; y += 1) {
    const line = active.getLine(y);
    const text = line.translateToString(!active.getLine(y + 1)?.isWrapped);
    if (line.isWrapped && rows.length) rows[rows.length - 1] += text;
    else rows.push(text);
  }
  return rows.join("\\n");
}"""


class TerminalScreen:
    """The panel of terminals of one session."""

    def __init__(self, window: Window, session: str = "") -> None:
        self.window = window
        self.page: Page = window.page
        if session:
            self.page.add_init_script(f"({_TAP})()")
            window.open(f"/sessions/{session}?panel=terminal")
        self.tabs = self.page.get_by_test_id("terminal-tab")
        self.current = self.page.locator("[data-testid=terminal][data-current=true]")
        self.key_bar = self.page.get_by_test_id("key-bar")
        self.company = self.page.get_by_test_id("terminal-company")
        self.state = self.page.get_by_test_id("terminal-state")

    def open_one(self) -> TerminalScreen:
        """A new terminal, once it is live and has the focus."""
        before = self.tabs.count()
        self.page.get_by_test_id("new-terminal").click()
        expect(self.tabs).to_have_count(before + 1)
        expect(self.tabs.last).to_have_attribute("aria-current", "page")
        return self.wait_live()

    def wait_live(self) -> TerminalScreen:
        screen = self.current.get_by_test_id("terminal-screen")
        expect(screen).to_have_attribute("data-state", "live")
        return self

    @property
    def id(self) -> str:
        return self.current.get_attribute("data-terminal") or ""

    def focus(self) -> None:
        self.current.locator(".xterm").click()

    def type(self, text: str) -> None:
        """As on a keyboard; the terminal has to have the focus."""
        self.page.keyboard.type(text)

    def run(self, command: str) -> None:
        """Types a line, all at once as an input method does it, and Enter."""
        self.page.keyboard.insert_text(command)
        self.page.keyboard.press("Enter")

    def text(self) -> str:
        """Scrollback and screen; wrapped lines are one."""
        return str(self.page.evaluate(_TEXT))

    def wait_for(self, words: str, timeout: float = PATIENCE_MS) -> None:
        """Until the screen or the scrollback has these words."""
        self.page.wait_for_function(
            f"words => ({_TEXT})().includes(words)", arg=words, polling=100, timeout=timeout
        )

    def choose(self, action: str) -> None:
        self.page.get_by_test_id("terminal-menu").click()
        self.page.get_by_role("menuitem", name=action, exact=True).click()
        # Where the focus goes is decided when it closes.
        expect(self.page.get_by_role("menuitem")).to_have_count(0)

    def tab(self, name: str) -> Locator:
        return self.tabs.filter(has_text=name)

    def cut(self) -> None:
        """The connection breaks; the page finds its way back by itself."""
        self.page.evaluate("tap.sockets.at(-1).close()")

    @property
    def typed(self) -> int:
        """How many bytes of input have left this page."""
        return int(self.page.evaluate("tap.typed"))

    @property
    def received(self) -> int:
        """How many bytes of output have come, repeats not counted."""
        return int(self.page.evaluate("tap.received"))

    def screen(self) -> dict[str, Any]:
        """What is on it, cell by cell."""
        found: dict[str, Any] = self.current.locator(".terminal-host").evaluate(
            f"host => ({reference.SCREEN})(host.terminal)"
        )
        return found

    def reference(self) -> dict[str, Any]:
        """What a reference terminal shows that was given what this page was given."""
        steps = self.page.evaluate(
            "tap.steps.map(step => step.bytes ? { bytes: tap.base64(step.bytes) } : step)"
        )
        return reference.shown(steps)

    def expect_reference(self) -> None:
        """The page shows what the reference does, as soon as it has drawn all that has come."""
        compared: list[dict[str, Any]] = []

        def is_same() -> bool:
            self.page.wait_for_function(
                "() => tap.received === window.seen || (window.seen = tap.received, false)",
                polling=500,
            )
            # More may come between the two looks, from a program that has paused only.
            compared[:] = [self.screen(), self.reference()]
            return compared[0] == compared[1]

        eventually(is_same, 30, lambda: _difference(*compared))


def _difference(shown: dict[str, Any], wanted: dict[str, Any]) -> str:
    """What is shown, and what should be, where that is not the same."""
    lines = itertools.zip_longest(shown["lines"], wanted["lines"])
    unlike = [pair for pair in lines if pair[0] != pair[1]]
    return f"{unlike} {({**shown, 'lines': []}, {**wanted, 'lines': []})}"
