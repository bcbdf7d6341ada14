"""Deleting a session: at once, with a way back in the notice, and later on the page of deleted sessions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.end_to_end.browser import NOTICES, Window
from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.client import Client
from tests.end_to_end.screens import SessionScreen


@pytest.fixture
def asleep(owner: Client) -> Iterator[str]:
    """A session that has never had a box."""
    made = owner.post("/sessions/", {"provider": "demo", "model": "demo", "title": "Old experiment"})
    yield str(made["id"])
    owner.raw("DELETE", f"/sessions/{made['id']}/")


def test_a_deleted_session_is_brought_back_by_undo(
    open_window: OpenWindow, owner: Client, asleep: str
) -> None:
    session = SessionScreen(open_window(), asleep)
    session.window.allow(404)  # what was still being asked about it when it went
    page = session.page
    session.choose("Delete")
    notice = page.locator(NOTICES)
    expect(notice).to_contain_text("“Old experiment” deleted")
    # It goes by itself, but not from under a pointer.
    notice.hover()
    expect(notice).to_contain_text("can be restored for a day")
    page.wait_for_url(session.window.url + "/")
    expect(_row(session.window, asleep)).to_have_count(0)
    assert asleep not in _ids(owner)
    notice.get_by_role("button", name="Undo").click()
    page.wait_for_url(f"**/sessions/{asleep}")
    expect(_row(session.window, asleep)).to_be_visible()
    expect(page.get_by_test_id("session-title")).to_contain_text("Old experiment")
    session.expect_connection("live")
    assert asleep in _ids(owner)


def test_a_deleted_session_is_found_and_restored_later(
    open_window: OpenWindow, owner: Client, asleep: str
) -> None:
    owner.call("DELETE", f"/sessions/{asleep}/")
    window = open_window()
    window.allow(404)
    page = window.page
    window.open(f"/sessions/{asleep}")
    gone = page.get_by_text("There is no such session.")
    expect(gone).to_be_visible()
    owner.call("POST", f"/sessions/{asleep}/restore/")
    SessionScreen(window).expect_connection("live")
    owner.call("DELETE", f"/sessions/{asleep}/")
    expect(gone).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Deleted sessions").click()
    row = page.locator(f'[data-testid=deleted-row][data-session="{asleep}"]')
    expect(row).to_contain_text("Old experiment")
    expect(row).to_contain_text("kept until")
    row.get_by_role("button", name="Restore").click()
    expect(row).to_have_count(0)
    expect(_row(window, asleep)).to_be_visible()
    assert asleep in _ids(owner)


def test_deleting_a_session_whose_agent_works_says_what_is_lost(
    open_window: OpenWindow, owner: Client, shared: str
) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send("/demo long 9000 20ms")
    turn.expect_text("12:larch")
    session.choose("Delete…")
    dialog = session.page.get_by_role("dialog")
    expect(dialog).to_contain_text("What the agent is doing is stopped for good.")
    expect(dialog).to_contain_text("can be restored for a day")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).not_to_be_attached()
    assert shared in _ids(owner)


def _row(window: Window, session: str) -> Locator:
    return window.page.locator(f'[data-testid=session-row][data-session="{session}"]')


def _ids(owner: Client) -> set[str]:
    return {session["id"] for session in owner.get("/sessions/")["results"]}
