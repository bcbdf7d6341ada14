"""A budget stops a turn, is explained and raised; what waited goes on by itself. What was used is shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.end_to_end.browser import PHONE
from tests.end_to_end.browser_fixtures import OpenWindow, live_session
from tests.end_to_end.client import Client
from tests.end_to_end.screens import SessionScreen


@pytest.fixture(scope="module")
def bounded(owner: Client) -> Iterator[str]:
    with live_session(owner, mode="auto", title="Bounded") as session:
        yield session


def test_a_budget_stops_a_turn_and_what_waits_goes_on_when_it_is_raised(
    open_window: OpenWindow, bounded: str, owner: Client
) -> None:
    session = SessionScreen(open_window(), bounded)
    session.send("/demo plain").wait()
    used = owner.get(f"/sessions/{bounded}/usage/")["totals"]
    limit = {"subject_kind": "session", "subject": bounded, "measure": "tokens", "period": "total"}
    budget = owner.post("/budgets/", {**limit, "limit": used["input"] + used["output"] + 1})
    # The first call is allowed, for something is left; the second one is not.
    turn = session.send("/demo run true").wait()
    assert turn.stop_reason == "error"
    expect(turn.errors).to_have_attribute("data-class", "budget_exceeded")
    expect(turn.errors).to_contain_text("can raise it")
    notice = session.page.get_by_test_id("budget-notice")
    expect(notice).to_have_attribute("data-level", "hard")
    session.window.shot("budget-used-up")
    waiting = session.send("/demo plain")
    notice.get_by_role("link", name="Usage and budgets").click()
    page = session.page.get_by_test_id("usage-page")
    row = page.get_by_test_id("budget-row")
    expect(row).to_have_attribute("data-level", "hard")
    expect(page.get_by_test_id("spend-chart")).to_be_visible()
    row.get_by_role("textbox").fill("1000000")
    row.get_by_role("button", name="Set limit").click()
    expect(row).to_have_attribute("data-level", "")
    session.page.go_back()
    waiting.wait()
    expect(notice).to_have_count(0)
    owner.call("DELETE", f"/budgets/{budget['id']}/")


def test_the_page_of_usage_fits_a_phone_and_is_readable(open_window: OpenWindow, bounded: str) -> None:
    for size in (None, PHONE):
        window = open_window(viewport=size) if size else open_window()
        window.open("/settings/usage")
        expect(window.page.get_by_test_id("usage-page")).to_contain_text("By session")
        expect(window.page.get_by_test_id("spend-chart")).to_be_visible()
        window.shot("usage-phone" if size else "usage")
