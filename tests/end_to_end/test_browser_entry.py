"""Getting in: the first visit makes the account, later ones sign in, and nobody else gets anywhere."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.end_to_end.browser import NOTICES, Glimpses, check_accessibility
from tests.end_to_end.browser_fixtures import Cookies, OpenWindow
from tests.end_to_end.client import PASSWORD, end_login, eventually
from tests.end_to_end.log_lines import lines
from tests.end_to_end.screens import Account, Entrance, NewSession, SessionScreen
from tests.product import Product, running

NOBODY: Cookies = []


def test_the_first_visit_sets_up_the_first_account_whose_owner_looks_after_it(
    open_window: OpenWindow,
) -> None:
    with running() as fresh:
        window = open_window(fresh.url, cookies=NOBODY)
        entrance = Entrance(window)
        window.allow(400)
        window.open()
        expect(window.page.get_by_role("heading", name="Set up OpenAgent")).to_be_visible()
        check_accessibility(window, "set-up")
        entrance.set_up(password="password123")
        expect(window.page.get_by_test_id("setup-form")).to_contain_text("too common")
        entrance.set_up()
        expect(NewSession(window).form).to_be_visible()
        expect(window.page.get_by_test_id("user-menu")).to_contain_text("Olivia Owner")

        late = open_window(fresh.url, cookies=NOBODY)
        Entrance(late)
        late.open()
        expect(late.page.get_by_test_id("sign-in-form")).to_be_visible()
        expect(late.page.get_by_test_id("setup-form")).not_to_be_attached()

        account = Account(window)
        account.change_name("Olive")
        expect(window.page.get_by_test_id("user-menu")).to_contain_text("Olive")
        account.change_password("not the password", "a better one 1865")
        expect(account.password).to_contain_text("current password")
        notices = Glimpses(window, NOTICES)
        account.change_password(PASSWORD, "a better one 1865")
        notices.expect("Your password was changed")
        Entrance(late).sign_in(password="a better one 1865")
        expect(NewSession(late).form).to_be_visible()
        window.page.reload()
        account.browsers.get_by_test_id("browser-row").get_by_role("button", name="Sign out").click()
        expect(account.browsers.get_by_test_id("browser-row")).to_have_count(1)
        late.page.reload()
        expect(late.page.get_by_test_id("sign-in-form")).to_be_visible()
        # Before their product ends: a page that asks in vain would complain.
        window.close()
        late.close()


def test_a_wrong_password_is_refused_and_the_right_one_leads_where_one_wanted_to_go(
    open_window: OpenWindow,
) -> None:
    window = open_window(cookies=NOBODY)
    entrance = Entrance(window)
    window.allow(400)
    window.open("/settings/keys")
    expect(window.page.get_by_test_id("sign-in-form")).to_be_visible()
    check_accessibility(window, "sign-in")
    entrance.sign_in(password="not the password")
    expect(window.page.get_by_role("alert").first).to_contain_text("not correct")
    expect(window.page.get_by_test_id("keys-page")).not_to_be_attached()
    entrance.sign_in()
    expect(window.page.get_by_test_id("keys-page")).to_be_visible()


def test_an_error_of_the_page_itself_is_told_in_the_log(
    open_window: OpenWindow, product: Product, shared: str
) -> None:
    window = open_window()
    SessionScreen(window, shared).expect_connection("live")
    with window.page.expect_response("**/api/v1/client-errors/") as answered:
        window.page.evaluate("void setTimeout(() => { throw new TypeError('nobody expected this') })")
    assert answered.value.status == 204
    told = {
        "browser_message": "nobody expected this",
        "browser_path": f"/sessions/{shared}",
        "session_id": shared,
        "request_id": answered.value.request.headers["x-request-id"],
    }

    def is_told() -> bool:
        found = lines((product.data.logs / "web.log").read_text(), "browser_error")
        return any(told.items() <= line.items() for line in found)

    eventually(is_told, 30, product.logs)
    # It is what this test is about, and nothing else went wrong.
    assert [complaint for complaint in window.complaints if "nobody expected this" not in complaint] == []
    window.complaints.clear()


def test_signing_out_leaves_nothing_behind(
    open_window: OpenWindow, another_login: Cookies, shared: str
) -> None:
    window = open_window(cookies=another_login)
    session = SessionScreen(window, shared)
    session.composer.fill("a draft that is nobody else's business")
    Entrance(window).sign_out()
    expect(session.composer).not_to_be_attached()
    window.page.reload()
    expect(window.page.get_by_test_id("sign-in-form")).to_be_visible()
    kept = str(window.page.evaluate("JSON.stringify({...localStorage})"))
    assert "nobody else's business" not in kept
    window.open(f"/sessions/{shared}")
    expect(window.page.get_by_test_id("sign-in-form")).to_be_visible()


def test_a_login_that_ends_is_renewed_without_losing_the_draft(
    open_window: OpenWindow, another_login: Cookies, shared: str
) -> None:
    window = open_window(cookies=another_login)
    session = SessionScreen(window, shared)
    session.expect_connection("live")
    session.composer.fill("a draft that is not finished")
    window.allow(401)
    end_login(window.url, another_login)
    dialog = window.page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Password")).to_be_focused()
    window.shot("sign-in-again")
    Entrance(window).sign_in()
    expect(dialog).not_to_be_attached()
    session.expect_connection("live")
    expect(session.composer).to_have_value("a draft that is not finished")
    turn = session.send("/demo plain").wait()
    turn.expect_text("Hello from the scripted demo model")
