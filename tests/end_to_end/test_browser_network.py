"""A program in the box reaches for a host: a person is asked, the answer holds, and it can be taken back."""

from __future__ import annotations

from playwright.sync_api import expect

from sidecar.protocol.egress import EGRESS_PORT
from tests.end_to_end.browser import check_accessibility
from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.client import Client
from tests.end_to_end.screens import Card, SessionScreen, Turn

# Of another program than one that knows of proxies nothing gets out, so nobody is asked.
PROXY = f"https_proxy=http://127.0.0.1:{EGRESS_PORT}"
PROGRAM = """python3 -c 'import urllib.request as r; r.urlopen("https://{host}/", timeout=100)'"""


def reach(session: SessionScreen, host: str) -> tuple[Turn, Card]:
    """Lets the agent try it; the turn, and the card that asks about the host."""
    turn = session.send(f"/demo run {PROXY} {PROGRAM.format(host=host)}")
    turn.asked().allow()
    return turn, session.asked_about(host)


def output(owner: Client, session: SessionScreen, turn: Turn) -> str:
    items = owner.ended(session.id, turn.id)["items"]
    return str(next(item["output"] for item in items if item["type"] == "tool"))


def test_a_host_is_asked_about_and_let_through_refused_and_forgotten(
    open_window: OpenWindow, shared: str, owner: Client
) -> None:
    window = open_window()
    session = SessionScreen(window, shared)
    turn, card = reach(session, "once.invalid")
    expect(card.exact).to_have_text("once.invalid:443")
    window.shot("egress")
    card.allow()
    # The gate looks a name up when it is allowed, and not before: this one is nobody's.
    assert "Tunnel connection failed: 502" in output(owner, session, turn)

    turn, card = reach(session, "never.invalid")
    card.box.get_by_test_id("permission-never").click()
    assert "Tunnel connection failed: 403" in output(owner, session, turn)
    session.page.get_by_test_id("tab-network").click()
    row = session.page.locator('[data-testid=reached-host][data-host="never.invalid"]')
    expect(row).to_contain_text("never allowed")
    check_accessibility(window, "network")

    window.open("/settings/network")
    rule = window.page.get_by_test_id("rule-row").filter(has_text="never.invalid")
    expect(rule).to_contain_text("Never allowed")
    rule.get_by_role("button", name="Forget").click()
    expect(rule).to_have_count(0)
    assert owner.get("/egress/rules/")["results"] == []
