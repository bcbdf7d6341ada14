"""Signing in and out through allauth's API, as the frontend does it, and through the admin's form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import URLResolver, get_resolver
from pytest_django import Settings
from rest_framework.test import APIClient

from openagent import settings as product_settings
from openagent.accounts.models import User
from tests.conftest import client_of

AUTH = "/_allauth/browser/v1/auth/"
ME = "/api/v1/me/"


@pytest.fixture(autouse=True)
def no_throttle_of_another_test() -> None:
    cache.clear()


def sign_in(client: APIClient, email: str = "alice@example.com", password: str = "alice's password") -> Any:
    return client.post(f"{AUTH}login", {"email": email, "password": password})


def test_one_signs_in_and_out(alice: User, anonymous_client: APIClient) -> None:
    assert anonymous_client.get(f"{AUTH}session").status_code == 401
    answer = sign_in(anonymous_client)
    assert answer.status_code == 200
    assert answer.json()["data"]["user"]["email"] == "alice@example.com"
    assert anonymous_client.get(f"{AUTH}session").json()["meta"]["is_authenticated"] is True
    assert anonymous_client.get(ME).json()["id"] == str(alice.pk)
    assert anonymous_client.delete(f"{AUTH}session").status_code == 401
    assert anonymous_client.get(ME).status_code == 401


def test_the_case_of_the_address_does_not_matter(alice: User, anonymous_client: APIClient) -> None:
    assert sign_in(anonymous_client, email="ALICE@Example.COM").status_code == 200


def test_a_wrong_password_and_an_unknown_address_look_alike(alice: User, anonymous_client: APIClient) -> None:
    wrong = sign_in(anonymous_client, password="not alice's")
    unknown = sign_in(anonymous_client, email="nobody@example.com")
    assert wrong.status_code == unknown.status_code == 400
    assert wrong.json()["errors"] == unknown.json()["errors"]


def test_a_password_cannot_be_guessed_quickly(alice: User, anonymous_client: APIClient) -> None:
    answers = [sign_in(anonymous_client, password=f"guess {n}").json() for n in range(7)]
    codes = [answer["errors"][0]["code"] for answer in answers]
    assert codes == ["email_password_mismatch"] * 5 + ["too_many_login_attempts"] * 2
    # Not even with the right one now.
    assert sign_in(anonymous_client).status_code == 400


def test_guesses_about_many_others_do_not_end_the_limit(
    alice: User, anonymous_client: APIClient, settings: Settings
) -> None:
    settings.CACHES = product_settings.CACHES
    call_command("createcachetable")
    codes = [sign_in(anonymous_client, password=f"guess {n}").json()["errors"][0]["code"] for n in range(6)]
    assert codes[-1] == "too_many_login_attempts"
    for number in range(400):
        cache.set(f"of-another-{number}", 1)
    answer = sign_in(anonymous_client).json()
    assert answer["errors"][0]["code"] == "too_many_login_attempts"


def test_nobody_signs_up(anonymous_client: APIClient) -> None:
    given = {"email": "new@example.com", "password": "correct horse battery"}
    assert anonymous_client.post(f"{AUTH}signup", given).status_code == 404
    assert not User.objects.exists()


def test_nobody_takes_an_address(alice: User) -> None:
    client, given = client_of(alice), {"email": "colleague@example.com"}
    for method in (client.get, client.post, client.put, client.patch, client.delete):
        assert method("/_allauth/browser/v1/account/email", given).status_code == 404
    assert User.objects.get().email == "alice@example.com"


def test_of_allauth_there_is_only_what_the_product_uses(client: Client) -> None:
    used = {"auth/login", "auth/session", "account/password/change"}
    for pattern in _addresses(get_resolver("allauth.headless.urls")):
        address = f"/_allauth/{pattern}"
        assert (client.get(address).status_code != 404) == (address.partition("/v1/")[2] in used), address
        used.discard(address.partition("/v1/")[2])
    assert not used


def _addresses(resolver: URLResolver) -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from (f"{entry.pattern}{below}" for below in _addresses(entry))
        else:
            yield str(entry.pattern)


def test_an_inactive_user_stays_out(alice: User, anonymous_client: APIClient) -> None:
    User.objects.update(is_active=False)
    assert sign_in(anonymous_client).status_code != 200
    assert anonymous_client.get(ME).status_code == 401


def test_signing_in_from_a_page_elsewhere_is_refused(alice: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    assert sign_in(client).status_code == 403
    client.get("/")
    answer = client.post(
        f"{AUTH}login",
        {"email": "alice@example.com", "password": "alice's password"},
        HTTP_X_CSRFTOKEN=client.cookies["csrftoken"].value,
    )
    assert answer.status_code == 200


def test_the_login_changes_when_one_signs_in(alice: User, anonymous_client: APIClient) -> None:
    anonymous_client.get("/")
    anonymous_client.cookies["sessionid"] = "chosen-by-an-attacker-0123456789"
    sign_in(anonymous_client)
    assert anonymous_client.cookies["sessionid"].value != "chosen-by-an-attacker-0123456789"


def test_a_user_changes_the_password_and_other_logins_end(alice: User, anonymous_client: APIClient) -> None:
    other = client_of(alice)
    sign_in(anonymous_client)
    change = "/_allauth/browser/v1/account/password/change"
    given = {"current_password": "alice's password", "new_password": "correct horse battery"}
    assert anonymous_client.post(change, given).status_code == 200
    assert anonymous_client.get(ME).status_code == 200
    assert other.get(ME).status_code == 401


class TestAdmin:
    """Django's own form, with the limits of the product's."""

    def sign_in(self, client: APIClient, email: str, password: str) -> Any:
        given = {"username": email, "password": password, "next": "/admin/"}
        return client.post("/admin/login/", given, format="multipart")

    def test_staff_signs_in(self, admin: User, anonymous_client: APIClient) -> None:
        assert self.sign_in(anonymous_client, "Admin@example.com", "admin's password").status_code == 302
        assert anonymous_client.get("/admin/").status_code == 200

    def test_others_do_not(self, alice: User, anonymous_client: APIClient) -> None:
        answer = self.sign_in(anonymous_client, "alice@example.com", "alice's password")
        assert answer.status_code == 200
        assert b"for a staff" in answer.content
        assert anonymous_client.get("/admin/").status_code == 302

    def test_guessing_has_one_limit_for_both_doors(self, admin: User, anonymous_client: APIClient) -> None:
        for number in range(3):
            self.sign_in(anonymous_client, "admin@example.com", f"guess {number}")
        for number in range(2):
            sign_in(anonymous_client, "admin@example.com", f"guess {number}")
        answer = self.sign_in(anonymous_client, "admin@example.com", "admin's password")
        assert answer.status_code == 200
        assert b"Too many failed login attempts" in answer.content

    def test_a_user_is_made_and_can_sign_in(self, admin: User) -> None:
        given = {
            "email": "New@Example.com",
            "display_name": "New",
            "usable_password": "true",
            "password1": "correct horse battery",
            "password2": "correct horse battery",
        }
        client = client_of(admin)
        assert client.get("/admin/accounts/user/add/").status_code == 200
        assert client.post("/admin/accounts/user/add/", given, format="multipart").status_code == 302
        again = client.post("/admin/accounts/user/add/", given, format="multipart")
        assert b"There is a user with this e-mail address" in again.content
        assert sign_in(APIClient(), "new@example.com", "correct horse battery").status_code == 200

    def test_every_page_of_accounts_opens(self, admin: User) -> None:
        client = client_of(admin)
        for page in ("user", "accesstoken", "wsticket", "firstrun"):
            assert client.get(f"/admin/accounts/{page}/").status_code == 200
        assert client.get(f"/admin/accounts/user/{admin.pk}/change/").status_code == 200
