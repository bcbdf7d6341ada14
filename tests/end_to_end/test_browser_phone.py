"""The whole flow on a phone of 360 px: one column, tabs at the bottom, nothing to scroll sideways for."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.end_to_end.browser import (
    PHONE,
    Glimpses,
    Window,
    check_accessibility,
    check_no_sideways_scroll,
)
from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.screens import NewSession, SessionScreen

SMALL_TARGETS = """() => [...document.querySelectorAll("button, a, select, input, textarea, [role=menuitem]")]
  .filter(target => target.checkVisibility() && !target.closest(".prose, p") &&
    getComputedStyle(target).clipPath === "none" && getComputedStyle(target).pointerEvents !== "none")
  .map(target => [target, [target, ...(target.labels ?? [])]])
  .map(([target, parts]) => [target, parts.map(part => part.getBoundingClientRect().height)])
  .filter(([, heights]) => Math.max(...heights) < 43.5)
  .map(([target, heights]) => `${heights} px: ${target.outerHTML.slice(0, 120)}`)"""
SMALL_TEXT = """() => [...document.querySelectorAll("input:not([type=radio], [type=checkbox]), textarea")]
  .filter(field => field.checkVisibility() && parseFloat(getComputedStyle(field).fontSize) < 16)
  .map(field => field.outerHTML.slice(0, 120))"""


def test_the_whole_flow_works_on_a_phone(open_window: OpenWindow) -> None:
    window = open_window(viewport=PHONE, has_touch=True, is_mobile=True)
    window.open()
    form = NewSession(window)
    expect(form.form).to_be_visible()
    _check_phone(window.page)
    stages = Glimpses(window, "[data-testid=start-stages]")
    session = form.start("/demo work")
    stages.expect("Starting the box")
    _check_phone(window.page)
    _answer(window, session)
    _look_at_files(window, session)
    _use_sidebar(window, session)


def _answer(window: Window, session: SessionScreen) -> None:
    turn = session.last_turn()
    card = turn.asked()
    expect(card.box).to_be_in_viewport()
    check_accessibility(window, "phone-permission")
    _check_phone(window.page)
    # Who works, in which version, is seen at once.
    agent = window.page.get_by_test_id("session-agent")
    expect(agent).to_be_visible()
    expect(agent).to_contain_text(re.compile(r" \d+\.\d+"))
    assert agent.evaluate("it => it.scrollWidth <= it.clientWidth"), "cut off"
    card.allow()
    turn.asked().allow()
    turn.wait().expect_text("All done: one file written and one command run.")
    expect(window.page.get_by_test_id("tab-files")).not_to_be_attached()


def _look_at_files(window: Window, session: SessionScreen) -> None:
    page = window.page
    tabs = page.get_by_test_id("phone-tabs")
    tabs.get_by_role("link", name="Changes").click()
    changed = page.get_by_test_id("changed-file")
    expect(changed).to_contain_text("hello.txt")
    _check_phone(page)
    changed.get_by_role("button").first.click()
    _comment_on_a_line(window)
    tabs.get_by_role("link", name="Files").click()
    session.file("hello.txt").click()
    expect(page.get_by_test_id("file-text")).to_contain_text("hello from the demo model")
    window.shot("phone-file")
    _check_phone(page)
    tabs.get_by_role("link", name="Chat").click()
    expect(session.composer).to_be_visible()
    check_accessibility(window, "phone-chat")


def _comment_on_a_line(window: Window) -> None:
    """A finger first touches the line: its button is then as high as fingers need, over its neighbours."""
    page = window.page
    line = page.locator("[data-line]").last
    line.tap()
    button = line.get_by_test_id("comment-on-line")
    window.shot("phone-diff")
    _check_phone(page)
    check_accessibility(window, "phone-diff")
    button.tap()
    expect(page.get_by_test_id("comment-field")).to_be_focused()
    _check_phone(page)
    page.get_by_role("button", name="Cancel").tap()


def _use_sidebar(window: Window, session: SessionScreen) -> None:
    page = window.page
    page.get_by_test_id("show-sidebar").click()
    sidebar = page.get_by_test_id("sidebar")
    expect(sidebar.get_by_test_id("session-row").first).to_be_in_viewport()
    check_accessibility(window, "phone-sidebar")
    _check_phone(page)
    sidebar.get_by_test_id("inbox-link").click()
    expect(page.get_by_test_id("inbox")).to_be_visible()
    expect(sidebar).not_to_be_attached()
    _check_phone(page)
    page.go_back()
    expect(session.composer).to_be_visible()


def test_settings_fit_a_phone(open_window: OpenWindow) -> None:
    window = open_window(viewport=PHONE, has_touch=True, is_mobile=True)
    for section in ("keys", "network", "tokens", "appearance", "shortcuts"):
        window.open(f"/settings/{section}")
        expect(window.page.get_by_role("heading", level=1)).to_be_visible()
        window.shot(f"phone-{section}")
        _check_phone(window.page)


def _check_phone(page: Page) -> None:
    check_no_sideways_scroll(page)
    targets = page.evaluate(SMALL_TARGETS)
    assert not targets, "Fingers need 44 px:\n" + "\n".join(targets)
    fields = page.evaluate(SMALL_TEXT)
    assert not fields, "Phones zoom into fields with less than 16 px:\n" + "\n".join(fields)
