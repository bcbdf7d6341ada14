"""Without a mouse: from a new session to answering the agent, with the focus to be seen at every step."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.screens import SessionScreen

MOST_TABS = 300
"""As many as it takes past all sessions that other tests have left behind."""
AT = "document.activeElement.dataset.testid ?? document.activeElement.getAttribute('aria-label') ?? ''"
IS_SEEN = """async () => {
  const seen = ({ outlineStyle, outlineWidth }) => outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
  const focused = document.activeElement;
  if (focused === document.body || seen(getComputedStyle(focused))) return true;
  const frame = async () => {
    getComputedStyle(focused.parentElement).borderColor;
    const changes = document.getAnimations().filter(each => each instanceof CSSTransition);
    await Promise.allSettled(changes.map(change => change.finished));
    return getComputedStyle(focused.parentElement).borderColor;
  };
  const before = await frame();
  focused.blur();
  const after = await frame();
  focused.focus();
  return before !== after;
}"""


def test_a_session_is_started_and_answered_with_the_keyboard_alone(open_window: OpenWindow) -> None:
    window = open_window()
    page = window.page
    window.open()
    expect(page.get_by_label("What should be done?")).to_be_focused()
    page.keyboard.type("/demo permission")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions/*")
    session = SessionScreen(window)
    turn = session.last_turn()
    card = turn.asked()
    _tab_to(page, "permission-once")
    page.keyboard.press("Enter")
    card.expect_outcome("Allowed once by you")
    turn.wait()

    _tab_to(page, "composer")
    page.keyboard.type("/demo permission")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("in two lines")
    page.keyboard.press("Enter")
    turn = session.turn(_newest(page, turn.id))
    card = turn.asked()
    keys = card.box.get_by_test_id("permission-keys")
    expect(keys).to_be_hidden()
    card.box.focus()
    expect(keys).to_be_visible()
    page.keyboard.press("n")
    expect(card.box.get_by_test_id("permission-message")).to_be_focused()
    page.keyboard.type("Not with the keyboard.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    card.expect_outcome("Rejected by you")
    turn.wait()
    assert "Not with the keyboard." in turn.text()


def test_shortcuts_open_what_they_say_and_the_focus_comes_back(open_window: OpenWindow, shared: str) -> None:
    session = SessionScreen(open_window(), shared)
    page = session.page
    session.composer.focus()
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_attached()
    expect(session.composer).to_be_focused()
    page.keyboard.press("?")
    expect(session.composer).to_have_value("?")
    page.keyboard.press("Backspace")

    page.get_by_test_id("transcript").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_attached()
    page.keyboard.press("Control+b")
    expect(page.get_by_test_id("sidebar")).not_to_be_attached()
    page.keyboard.press("Control+b")
    expect(page.get_by_test_id("sidebar")).to_be_visible()
    page.keyboard.press("Control+Shift+O")
    expect(page.get_by_test_id("new-session-form")).to_be_visible()


def test_the_palette_leads_to_a_session_and_to_what_it_offers(open_window: OpenWindow, shared: str) -> None:
    window = open_window()
    page = window.page
    window.open()
    expect(page.get_by_test_id("session-row").first).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("combobox").fill("Shared")
    # That it fits best is known a moment after it is there.
    expect(page.get_by_role("option", name="Shared").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions/*")
    expect(page.get_by_test_id("composer")).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("combobox").fill("Show the files")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions/*panel=files")


def _tab_to(page: Page, testid: str) -> None:
    """Presses Tab until that has the focus, which has to be visible all along the way."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        assert page.evaluate(IS_SEEN), f"the focus cannot be seen: {page.evaluate(AT)}"
        if page.evaluate(AT) == testid:
            return
    raise AssertionError(f"no way to {testid} with Tab")


def _newest(page: Page, older: str) -> str:
    newest = page.locator(f'[data-turn]:not([data-turn="{older}"])').last
    expect(newest).to_be_attached()
    return newest.get_attribute("data-turn") or ""
