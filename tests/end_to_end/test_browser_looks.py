"""Every page in light and dark: no serious fault that axe finds, nothing to scroll sideways for."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.end_to_end.browser import DESKTOP, check_accessibility
from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.screens import Keys, SessionScreen

OTHER_WIDTHS = (768, 1920)
"""A tablet held upright and a large screen; tests of phones are in test_browser_phone.py."""
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


def test_a_session_full_of_everything(open_window: OpenWindow, shared: str) -> None:
    window = open_window()
    session = SessionScreen(window, shared)
    for script in ("error404", "reasoning", "markdown", "todo"):
        session.send(f"/demo {script}").wait()
    turn = session.send("/demo permission")
    card = turn.asked()
    session.send("/demo plain")
    expect(session.queue).to_have_count(1)
    check_accessibility(window, "session")
    for width in OTHER_WIDTHS:
        window.page.set_viewport_size({"width": width, "height": DESKTOP["height"]})
        check_accessibility(window, f"session-{width}", themes=("light",))
    window.page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
    window.page.get_by_test_id("inbox-link").click()
    expect(window.page.get_by_test_id("inbox")).to_contain_text("rm -rf build")
    check_accessibility(window, "inbox")
    window.page.go_back()
    card.allow()
    turn.wait()
    session.page.get_by_test_id("tool-card").last.get_by_role("button").first.click()
    session.open_files()
    check_accessibility(window, "session-files")


@pytest.mark.parametrize(
    "section", ["keys", "network", "tokens", "deleted", "appearance", "shortcuts", "account"]
)
def test_the_settings(open_window: OpenWindow, section: str) -> None:
    window = open_window()
    window.open(f"/settings/{section}")
    main = window.page.get_by_role("main")
    expect(main.get_by_role("heading", level=1)).to_be_visible()
    expect(main.locator(".delayed")).to_have_count(0)  # the grey lines in place of what is being loaded
    check_accessibility(window, f"settings-{section}")


def test_the_first_page_and_what_lies_over_it(open_window: OpenWindow) -> None:
    window = open_window()
    page = window.page
    window.open()
    expect(page.get_by_test_id("new-session-form")).to_be_visible()
    check_accessibility(window, "home")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    check_accessibility(window, "palette")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_attached()


def test_the_dialog_for_a_key(open_window: OpenWindow) -> None:
    window = open_window()
    keys = Keys(window)
    window.page.get_by_role("button", name="Add key").click()
    expect(keys.form).to_be_visible()
    check_accessibility(window, "key-dialog")


@pytest.mark.parametrize("path", ["/nowhere", "/sessions/00000000-0000-4000-8000-000000000000"])
def test_what_is_not_there_is_said_so(open_window: OpenWindow, path: str) -> None:
    window = open_window()
    window.allow(404)
    window.open(path)
    expect(window.page.get_by_role("main")).to_contain_text("Not found")
    check_accessibility(window, "not-found")


def test_the_theme_that_somebody_chose_is_kept(open_window: OpenWindow) -> None:
    window = open_window(color_scheme="light")
    page = window.page
    window.open("/settings/appearance")
    expect(page.get_by_label("Dark")).to_be_visible()
    light = page.evaluate(BACKGROUND)
    page.get_by_label("Dark").check()
    page.wait_for_function(f"light => {BACKGROUND} !== light", arg=light)
    dark = page.evaluate(BACKGROUND)
    page.reload()
    expect(page.get_by_label("Dark")).to_be_checked()
    assert page.evaluate(BACKGROUND) == dark
