"""The cookie of a login goes when somebody signs out, and by nothing that is only read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from openagent.accounts.models import User
from tests.conftest import client_of

ME = "/api/v1/me/"
SESSION = "/_allauth/browser/v1/auth/session"


def with_a_key_of_before(user: User) -> APIClient:
    """The login has another key by now."""
    client = client_of(user)
    client.session.cycle_key()
    return client


def with_a_password_of_before(user: User) -> APIClient:
    """The password is another by now, and the login has not heard of it."""
    client = client_of(user)
    user.set_password("another one 1865")
    user.save()
    return client


@pytest.mark.parametrize("make", [with_a_key_of_before, with_a_password_of_before])
def test_what_a_page_still_asks_takes_no_cookie_away(alice: User, make: Callable[[User], APIClient]) -> None:
    client = make(alice)
    answer = client.get(ME)
    assert answer.status_code == 401
    assert "sessionid" not in answer.cookies


def test_signing_out_takes_it_away(alice: User) -> None:
    client = client_of(alice)
    assert client.get(ME).status_code == 200
    answer = client.delete(SESSION)
    assert answer.cookies["sessionid"].value == ""
