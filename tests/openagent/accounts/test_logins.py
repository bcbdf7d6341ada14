"""A login is read from headers, and stops holding when it ends, however it ends."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from openagent.accounts import login_store, logins, tickets, tokens
from openagent.accounts.models import AccessToken, Scope, User, WsTicket
from tests.conftest import client_of


@pytest.fixture(autouse=True)
def no_throttle_of_another_test() -> None:
    cache.clear()


def cookie_of(client: APIClient) -> str:
    return client.cookies["sessionid"].value


def by_cookie(user: User) -> logins.Login:
    login = logins.from_headers({b"cookie": f"a=b; sessionid={cookie_of(client_of(user))}".encode()})
    assert login
    return login


def by_token(user: User, *scopes: str) -> logins.Login:
    _, text = tokens.issue(user_id=user.pk, name="t", scopes=scopes or ["read"], expires_at=None)
    login = logins.from_headers({b"authorization": f"Bearer {text.reveal()}".encode()})
    assert login
    return login


def test_a_cookie_is_a_login_that_may_do_everything(alice: User) -> None:
    login = by_cookie(alice)
    assert (login.user_id, login.token_id) == (alice.pk, None)
    assert all(login.may(scope) for scope in Scope)
    assert login.session_key not in repr(login)


def test_the_row_of_a_login_does_not_open_it(alice: User) -> None:
    """Whoever steals the database has the rows."""
    cookie = cookie_of(client_of(alice))
    (row,) = Session.objects.all()
    assert cookie not in f"{row.session_key} {row.get_decoded()}"
    assert logins.from_headers({b"cookie": f"sessionid={row.session_key}".encode()}) is None
    thief = APIClient()
    thief.cookies["sessionid"] = row.session_key
    assert thief.get("/api/v1/me/").status_code == 401
    thief.cookies["sessionid"] = cookie
    assert thief.get("/api/v1/me/").status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_login_sessions_are_kept_the_same_way_from_coroutines() -> None:
    store = login_store.SessionStore()
    await store.aset("a", "b")
    await store.asave()
    key = store.session_key
    assert key and await store.aexists(key)
    assert await Session.objects.filter(session_key=login_store.row_key(key)).aexists()
    assert await login_store.SessionStore(key).aget("a") == "b"
    assert not await login_store.SessionStore(login_store.row_key(key)).aget("a")
    await store.adelete()
    assert not await store.aexists(key)


def test_a_token_is_a_login_that_may_do_what_its_scopes_say(alice: User) -> None:
    login = by_token(alice, Scope.WRITE)
    assert (login.user_id, login.session_key) == (alice.pk, "")
    assert login.may(Scope.READ)
    assert login.may(Scope.WRITE)
    assert not login.may(Scope.ADMIN)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"cookie": b""},
        {b"cookie": b"sessionid="},
        {b"cookie": b"sessionid=nonsense"},
        {b"cookie": b"sessionid=non\x00sense"},
        {b"cookie": b"\xff\x00; sessionid=" + b"x" * 100_000},
        {b"authorization": b""},
        {b"authorization": b"Bearer"},
        {b"authorization": b"Bearer oat_" + b"0" * 64},
        {b"authorization": b"Bearer \xff\xfe"},
        {b"authorization": b"Basic YWxpY2U6eA=="},
    ],
    ids=lambda headers: repr(headers)[:40],
)
@pytest.mark.django_db
def test_anything_else_is_no_login(headers: dict[bytes, bytes]) -> None:
    assert logins.from_headers(headers) is None


def test_a_bad_token_is_not_saved_by_a_good_cookie(alice: User) -> None:
    cookie = f"sessionid={cookie_of(client_of(alice))}".encode()
    assert logins.from_headers({b"cookie": cookie, b"authorization": b"Bearer oat_x"}) is None


def test_an_anonymous_session_is_no_login(db: None) -> None:
    client = APIClient()
    session = client.session
    session["a"] = "b"
    session.save()
    assert logins.from_headers({b"cookie": f"sessionid={session.session_key}".encode()}) is None


def data_of_a_stranger() -> str:
    login = by_cookie(User.objects.create_user("stranger@example.com"))
    return Session.objects.get(session_key=login.session_key).session_data


ENDINGS: dict[str, Callable[[User], object]] = {
    "deactivated": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "deleted": lambda user: user.delete(),
}
COOKIE_ENDINGS: dict[str, Callable[[User], object]] = {
    **ENDINGS,
    "signed out": lambda user: Session.objects.all().delete(),
    "expired": lambda user: Session.objects.update(expire_date=timezone.now()),
    "password changed": lambda user: User.objects.filter(pk=user.pk).update(password="another hash"),
    "somebody else's now": lambda user: Session.objects.update(session_data=data_of_a_stranger()),
    "garbage": lambda user: Session.objects.update(session_data="garbage"),
}
TOKEN_ENDINGS: dict[str, Callable[[User], object]] = {
    **ENDINGS,
    "token deleted": lambda user: AccessToken.objects.all().delete(),
    "token expired": lambda user: AccessToken.objects.update(expiry=timezone.now()),
    "scopes taken away": lambda user: AccessToken.objects.update(scopes=[]),
}


@pytest.mark.parametrize("ending", COOKIE_ENDINGS.values(), ids=COOKIE_ENDINGS)
def test_a_cookie_s_login_ends(alice: User, bob: User, ending: Callable[[User], object]) -> None:
    login, token = by_cookie(alice), by_token(bob)
    assert logins.alive([login, token]) == {login, token}
    ending(alice)
    assert logins.alive([login, token]) == {token}


@pytest.mark.parametrize("ending", TOKEN_ENDINGS.values(), ids=TOKEN_ENDINGS)
def test_a_token_s_login_ends(alice: User, bob: User, ending: Callable[[User], object]) -> None:
    login, cookie = by_token(alice), by_cookie(bob)
    assert logins.alive([login, cookie]) == {login, cookie}
    ending(alice)
    assert logins.alive([login, cookie]) == {cookie}


def test_signing_out_ends_the_login(alice: User) -> None:
    client = client_of(alice)
    login = logins.from_headers({b"cookie": f"sessionid={cookie_of(client)}".encode()})
    assert login
    client.delete("/_allauth/browser/v1/auth/session")
    assert logins.alive([login]) == set()


def test_logins_survive_a_change_of_the_secret_key(alice: User, settings: LazySettings) -> None:
    login = by_cookie(alice)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-" * 3
    assert logins.alive([login]) == {login}
    settings.SECRET_KEY_FALLBACKS = []
    assert logins.alive([login]) == set()


def test_many_logins_cost_as_much_as_three(
    alice: User, bob: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    many = {by_cookie(user) for user in (alice, bob) for _ in range(10)} | {
        by_token(user) for user in (alice, bob) for _ in range(10)
    }
    with django_assert_max_num_queries(3):
        assert logins.alive(many) == many
    with django_assert_max_num_queries(1):
        assert logins.alive([]) == set()


class TestTickets:
    """Single use, short, and no longer than the login behind it."""

    @pytest.mark.parametrize("way", [by_cookie, by_token])
    def test_a_ticket_is_the_login_that_asked_for_it(
        self, alice: User, way: Callable[[User], logins.Login]
    ) -> None:
        login = way(alice)
        assert tickets.redeem(tickets.issue(login)) == login

    def test_it_works_once(self, alice: User) -> None:
        ticket = tickets.issue(by_cookie(alice))
        assert tickets.redeem(ticket)
        assert tickets.redeem(ticket) is None

    def test_it_works_for_a_minute(self, alice: User) -> None:
        ticket = tickets.issue(by_cookie(alice))
        with time_machine.travel(timezone.now() + timedelta(seconds=61)):
            assert tickets.redeem(ticket) is None

    @pytest.mark.parametrize("ending", COOKIE_ENDINGS.values(), ids=COOKIE_ENDINGS)
    def test_it_does_not_outlive_its_login(self, alice: User, ending: Callable[[User], object]) -> None:
        ticket = tickets.issue(by_cookie(alice))
        ending(alice)
        assert tickets.redeem(ticket) is None

    @pytest.mark.parametrize("ticket", ["", "wst_", "wst_" + "x" * 43, "\x00", "\ud800", "x" * 100_000])
    @pytest.mark.django_db
    def test_a_wrong_one_is_nobody(self, ticket: str) -> None:
        assert tickets.redeem(ticket) is None

    def test_only_its_digest_is_kept_and_old_ones_go(self, alice: User, bob: User) -> None:
        ticket = tickets.issue(by_cookie(alice))
        tickets.issue(by_cookie(bob))
        assert ticket not in repr(WsTicket.objects.values())
        with time_machine.travel(timezone.now() + timedelta(minutes=5)):
            tickets.issue(logins.Login(user_id=alice.pk, session_key="x"))
        assert (alice.ws_tickets.count(), bob.ws_tickets.count()) == (1, 1)

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_one_gets_in(self, alice: User) -> None:
        ticket, barrier, inside = tickets.issue(by_cookie(alice)), threading.Barrier(6), list[uuid.UUID]()

        def redeem() -> None:
            barrier.wait()
            if login := tickets.redeem(ticket):
                inside.append(login.user_id)
            connection.close()

        threads = [threading.Thread(target=redeem) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert inside == [alice.pk]

    def test_the_api_gives_them_to_both_kinds_of_login(
        self, alice: User, anonymous_client: APIClient
    ) -> None:
        path = "/api/v1/ws-tickets/"
        made = client_of(alice).post(path)
        assert (made.status_code, made.json()["expires_in"]) == (201, 60)
        assert tickets.redeem(made.json()["ticket"]).user_id == alice.pk  # type: ignore[union-attr]
        token, text = tokens.issue(user_id=alice.pk, name="t", scopes=["read"], expires_at=None)
        anonymous_client.credentials(HTTP_AUTHORIZATION=f"Bearer {text.reveal()}")
        ticket = anonymous_client.post(path).json()["ticket"]
        assert tickets.redeem(ticket).token_id == token.pk  # type: ignore[union-attr]
        assert APIClient().post(path).status_code == 401
