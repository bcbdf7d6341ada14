"""The review of a workspace in a real browser: what a shell changed, by keyboard, and taken back."""

from __future__ import annotations

import uuid

from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.end_to_end.browser import PHONE, check_accessibility
from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.browser_terminal import TerminalScreen


def _file(page: Page, path: str) -> Locator:
    return page.locator(f'[data-testid=changed-file][data-path="{path}"]')


def test_what_a_shell_changed_is_reviewed_reverted_and_had_back(open_window: OpenWindow, box: str) -> None:
    window = open_window()
    page = window.page
    terminal = TerminalScreen(window, box).open_one()
    name = f"{uuid.uuid4().hex[:8]}.py"
    path = f"src/{name}"
    terminal.run(f"mkdir -p src; printf 'first line\\nsecond line\\n' > {path}; echo wrote-$?-")
    terminal.wait_for("\nwrote-0-")
    page.get_by_test_id("tab-changes").click()
    file = _file(page, path)
    expect(file).to_contain_text("+2")

    file.get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    expect(file.get_by_test_id("diff")).to_contain_text("second line")
    page.keyboard.press("n")
    expect(file.locator("[data-hunk]")).to_be_focused()
    page.keyboard.press("c")
    expect(page.get_by_test_id("comment-field")).to_be_focused()
    page.keyboard.type("Say what for.")
    page.keyboard.press("Control+Enter")
    expect(file.get_by_test_id("line-comment")).to_have_text("Say what for.")
    check_accessibility(window, "changes")
    window.shot("changes")
    file.get_by_role("button").first.focus()
    page.keyboard.press("v")
    expect(file.get_by_test_id("viewed")).to_have_attribute("aria-pressed", "true")
    expect(file.get_by_test_id("diff")).to_have_count(0)
    expect(page.get_by_test_id("changes-summary")).to_contain_text("1 viewed")
    _revert_and_undo(page, file, path)
    page.set_viewport_size(ViewportSize(width=PHONE["width"], height=PHONE["height"]))
    file.get_by_role("button").first.click()
    expect(file.get_by_test_id("diff")).to_contain_text("second line")
    check_accessibility(window, "phone-changes")
    page.get_by_test_id("review-bar").get_by_role("button", name="Discard").click()


def _revert_and_undo(page: Page, file: Locator, path: str) -> None:
    file.get_by_role("button", name="More about").click()
    page.get_by_role("menuitem", name="Revert").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("it will be deleted")
    dialog.get_by_role("button", name="Revert").click()
    undo = page.get_by_role("button", name="Undo")
    # The notice goes by itself, but not from under a pointer.
    undo.hover()
    expect(file).to_have_count(0)
    undo.click()
    expect(file).to_contain_text("+2")
