"""A real Chromium for the end-to-end tests: its windows complain about whatever a person would not see."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    WebSocketRoute,
    expect,
    sync_playwright,
)

from tests import needs

PATIENCE_MS = 90_000
"""How long anything may take before a test gives up: two cores may be busy with much else."""

NOTICES = "[data-sonner-toast]"
"""What is said for some seconds in a corner."""

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}

_STATUS = re.compile(r"responded with a status of (\d+)")
_CUT_OFF = re.compile(
    r"net::ERR_(CONNECTION_\w+|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED|INCOMPLETE_CHUNKED_ENCODING|CONTENT_LENGTH_MISMATCH)"
    r"|^WebSocket connection to"
)
# Containers that start and end on this host, whoever has them, change its network: Chromium breaks off what
# is about to connect.
_OF_THE_HOST = "net::ERR_NETWORK_CHANGED"
_SCREENSHOTS = os.environ.get("SCREENSHOTS", "")
# Chromium's own: it needs a second try where somebody else has its shared memory.
_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium as the system has it. Nothing asynchronous may run in this thread meanwhile."""
    chromium = needs.browser()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        yield browser
        browser.close()


class Wire:
    """The page's sockets, which can be cut; no new one holds until it is mended."""

    def __init__(self, page: Page) -> None:
        self._open: list[WebSocketRoute] = []
        self._is_cut = False
        page.route_web_socket(re.compile("/ws/sessions/"), self._connect)

    def cut(self) -> None:
        self._is_cut = True
        for end in self._open:
            end.close(code=1012)
        self._open.clear()

    def mend(self) -> None:
        self._is_cut = False

    def _connect(self, page_end: WebSocketRoute) -> None:
        if self._is_cut:
            page_end.close(code=1012)
        else:
            self._open += [page_end, page_end.connect_to_server()]


class Window:
    """One page in a browser context of its own: another device, as far as the platform can tell.

    `complaints` are errors of the page: what it logs as an error, violations of its content policy,
    exceptions that nobody caught, and answers that refuse something unless their status is `allowed`.
    """

    def __init__(self, context: BrowserContext, url: str) -> None:
        context.set_default_timeout(PATIENCE_MS)
        self.url = url
        self.context = context
        self.page = context.new_page()
        self.allowed: set[int] = set()
        self.may_be_cut_off = False
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", self._catch)

    def allow(self, *statuses: int) -> None:
        """Answers with these statuses are what this test is about."""
        self.allowed |= set(statuses)

    def allow_outages(self) -> None:
        """This test ends what answers the page: that nothing does so for a while is no fault of the page."""
        self.may_be_cut_off = True

    def open(self, path: str = "/") -> None:
        try:
            self.page.goto(self.url + path)
        except Error as error:
            if _OF_THE_HOST not in error.message:
                raise
            self.page.goto(self.url + path)

    def shot(self, name: str) -> None:
        """A picture to look at, where SCREENSHOTS names a folder."""
        if _SCREENSHOTS:
            self.save_picture(Path(_SCREENSHOTS) / f"{name}.png")

    def save_picture(self, path: Path) -> None:
        try:
            self.page.screenshot(path=path, animations="disabled")
        except Error:
            path.with_suffix(".txt").write_text("The page was closed already.")

    def close(self) -> None:
        self.context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type != "error" or _OF_THE_HOST in message.text:
            return
        if self.may_be_cut_off and _CUT_OFF.search(message.text):
            return
        status = _STATUS.search(message.text)
        if status is None or int(status[1]) not in self.allowed:
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def _catch(self, error: Error) -> None:
        self.complaints.append(f"not caught: {error}")


class Glimpses:
    """What elements of the page show from now on, however short the time for which they are there."""

    _NOTE = """selector => {
      window.glimpses = new Set();
      const note = () => {
        for (const seen of document.querySelectorAll(selector)) glimpses.add(seen.textContent);
      };
      new MutationObserver(note).observe(document, { subtree: true, childList: true, characterData: true });
    }"""

    def __init__(self, window: Window, selector: str) -> None:
        self.page = window.page
        self.page.evaluate(self._NOTE, selector)

    def expect(self, words: str) -> None:
        """Until one of them has shown these."""
        self.page.wait_for_function(
            "words => [...glimpses].some(text => text.includes(words))", arg=words, polling=100
        )


def check_accessibility(
    window: Window, name: str, *, themes: Sequence[Theme] = THEMES, leave_out: Sequence[str] = ()
) -> None:
    """No serious fault in any of the themes, and no sideways scrolling; takes a picture of each."""
    for theme in themes:
        window.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        window.shot(f"{name}-{theme}")
        faults = _faults(window.page, leave_out)
        assert not faults, f"{name}, {theme}:\n" + "\n".join(faults)
        check_no_sideways_scroll(window.page)


def check_no_sideways_scroll(page: Page) -> None:
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], f"{widths[0]} px of content in {widths[1]} px"


def _faults(page: Page, leave_out: Sequence[str]) -> list[str]:
    context: Any = {"exclude": [[selector] for selector in leave_out]} if leave_out else None
    found = Axe().run(page, context=context).response["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {node['target']} {node['html'][:200]} {node['failureSummary']}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
