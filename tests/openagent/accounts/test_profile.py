"""The account as its owner sees it: the name, the password, and the browsers in which they are signed in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from openagent.accounts import browsers, login_store, tokens
from openagent.accounts.models import User

ME = "/api/v1/me/"
BROWSERS = f"{ME}browsers/"
SIGN_IN = "/_allauth/browser/v1/auth/login"
PASSWORD = "/_allauth/browser/v1/account/password/change"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def no_throttle_of_another_test() -> None:
    cache.clear()


def browser(
    agent: str = FIREFOX, *, email: str = "alice@example.com", password: str = "alice's password"
) -> Any:
    """Somebody signs in with one, and its page asks who they are."""
    client = APIClient(headers={"User-Agent": agent})
    client.default_format = "json"
    assert client.post(SIGN_IN, {"email": email, "password": password}, format="json").status_code == 200
    assert client.get(ME).status_code == 200
    return client


def test_the_name_is_changed_and_may_be_left_out(alice_client: APIClient) -> None:
    assert alice_client.patch(ME, {"name": "Alice Liddell"}).json()["name"] == "Alice Liddell"
    assert alice_client.get(ME).json()["name"] == "Alice Liddell"
    assert alice_client.patch(ME, {"name": ""}).json()["name"] == "alice@example.com"


@pytest.mark.parametrize("name", ["x" * 151, "Ali\u202ece", "A\nB", "\0", None, ["Alice"]])
def test_a_name_that_is_none(alice_client: APIClient, name: object) -> None:
    assert alice_client.patch(ME, {"name": name}).status_code == 400


def test_nothing_else_of_the_account_can_be_changed(alice: User, alice_client: APIClient) -> None:
    change = {"name": "Alice", "email": "root@example.com", "is_staff": True, "id": "0"}
    assert alice_client.patch(ME, change).status_code == 200
    alice.refresh_from_db()
    assert (alice.email, alice.is_staff) == ("alice@example.com", False)


def test_the_browsers_are_listed_by_what_they_say_the_current_one_first(alice: User, bob: User) -> None:
    here = browser()
    browser(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Safari/604.1"
    )
    browser("<script>alert(1)</script>")
    browser(email="bob@example.com", password="bob's password")
    found = here.get(BROWSERS).json()["results"]
    assert [(each["name"], each["is_current"]) for each in found] == [
        ("Firefox on Linux", True),
        ("A browser", False),
        ("Safari on iPhone", False),
    ]
    assert all(each["since"] and each["seen_at"] for each in found)


def test_one_browser_is_signed_out_and_all_others_are(alice: User, bob: User) -> None:
    here, there, elsewhere = browser(), browser(), browser()
    stranger = browser(email="bob@example.com", password="bob's password")
    [_, last, _] = here.get(BROWSERS).json()["results"]
    assert stranger.delete(f"{BROWSERS}{last['id']}/").status_code == 404
    assert here.delete(f"{BROWSERS}{last['id']}/").status_code == 204
    assert here.delete(f"{BROWSERS}{last['id']}/").status_code == 404
    assert sorted([there.get(ME).status_code, elsewhere.get(ME).status_code]) == [200, 401]
    assert here.delete(BROWSERS).status_code == 204
    assert [each.get(ME).status_code for each in (here, there, elsewhere, stranger)] == [200, 401, 401, 200]


def test_being_seen_does_not_prolong_a_login(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    here = browser()
    until = Session.objects.get().expire_date
    [before] = here.get(BROWSERS).json()["results"]
    monkeypatch.setattr(browsers, "NOTE_EVERY", timedelta(0))
    assert "sessionid" not in here.get(ME).cookies
    [after] = here.get(BROWSERS).json()["results"]
    assert after["seen_at"] > before["seen_at"] and after["since"] == before["since"]
    assert Session.objects.get().expire_date == until
    Session.objects.update(expire_date=timezone.now())
    assert browsers.of_user(alice, current_key=None) == []


def test_a_new_password_ends_the_other_logins_and_not_this_one(alice: User) -> None:
    here, there = browser(), browser()
    change = {"current_password": "alice's password", "new_password": "a better one 1865"}
    assert here.post(PASSWORD, change, format="json").status_code == 200
    assert (here.get(ME).status_code, there.get(ME).status_code) == (200, 401)
    [only] = here.get(BROWSERS).json()["results"]
    assert only["is_current"] and only["name"] == "Firefox on Linux"
    browser(password="a better one 1865")


@pytest.mark.parametrize(
    ("current", "new", "code", "param"),
    [
        ("wrong", "a better one 1865", "enter_current_password", "current_password"),
        ("alice's password", "short", "password_too_short", "new_password"),
        ("alice's password", "password", "password_too_common", "new_password"),
    ],
)
def test_a_password_that_is_not_changed_says_why(
    alice: User, current: str, new: str, code: str, param: str
) -> None:
    here = browser()
    answer = here.post(PASSWORD, {"current_password": current, "new_password": new}, format="json")
    assert answer.status_code == 400
    errors = {(each["code"], each["param"]) for each in answer.json()["errors"]}
    assert (code, param) in errors
    browser()


def test_a_token_with_the_scope_sees_and_ends_them(alice: User) -> None:
    here = browser()
    _, text = tokens.issue(user_id=alice.pk, name="cli", scopes=["admin"], expires_at=None)
    client = APIClient(headers={"Authorization": f"Bearer {text.reveal()}"})
    assert [each["is_current"] for each in client.get(BROWSERS).json()["results"]] == [False]
    assert client.delete(BROWSERS).status_code == 204
    assert here.get(ME).status_code == 401


def test_noting_a_browser_puts_nothing_back_that_another_request_has_changed(alice: User) -> None:
    key = browser().cookies["sessionid"].value
    stale = login_store.SessionStore(key)
    stale[browsers._NOTE] = {**stale[browsers._NOTE], "seen_at": "2026-01-01T00:00:00+00:00"}
    meanwhile = login_store.SessionStore(key)
    meanwhile["changed"] = "meanwhile"
    meanwhile[browsers._NOTE] = stale[browsers._NOTE]
    meanwhile.save()
    browsers.note(stale, FIREFOX)
    after = login_store.SessionStore(key)
    assert after["changed"] == "meanwhile"
    assert after[browsers._NOTE]["seen_at"] > "2026-01-02"


def test_noting_a_browser_that_was_signed_out_meanwhile_signs_nobody_in(alice: User) -> None:
    key = browser().cookies["sessionid"].value
    stale = login_store.SessionStore(key)
    assert stale.pop(browsers._NOTE)
    login_store.SessionStore().delete(key)
    browsers.note(stale, FIREFOX)
    assert not Session.objects.exists()
