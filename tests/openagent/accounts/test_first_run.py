"""The first account is made once, with a good password and the code, and signs in."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import connection
from rest_framework.test import APIClient

from openagent.accounts import first_run
from openagent.accounts.models import FirstRun, User

SETUP = "/api/v1/setup/"
GIVEN = {"email": "Owner@Example.com", "password": "correct horse battery", "name": "Owner"}


@pytest.fixture(autouse=True)
def no_throttle_of_another_test() -> None:
    cache.clear()


def test_a_new_installation_is_set_up_and_signed_in(anonymous_client: APIClient) -> None:
    assert anonymous_client.get(SETUP).json() == {"needed": True, "code_required": False}
    made = anonymous_client.post(SETUP, GIVEN)
    assert made.status_code == 201
    me = anonymous_client.get("/api/v1/me/").json()
    assert made.json() == me
    assert (me["email"], me["name"], me["is_staff"], me["has_keys"]) == (
        "owner@example.com",
        "Owner",
        True,
        False,
    )
    assert anonymous_client.get(SETUP).json()["needed"] is False
    assert User.objects.get().is_superuser
    assert GIVEN["password"] not in made.content.decode()


def test_it_is_done_once(anonymous_client: APIClient) -> None:
    assert anonymous_client.post(SETUP, GIVEN).status_code == 201
    again = APIClient().post(SETUP, {**GIVEN, "email": "other@example.com"})
    assert (again.status_code, again.json()["code"]) == (409, "already_set_up")
    assert User.objects.count() == 1


def test_any_user_at_all_ends_it(anonymous_client: APIClient, alice: User) -> None:
    assert anonymous_client.get(SETUP).json()["needed"] is False
    assert anonymous_client.post(SETUP, GIVEN).status_code == 409


def test_when_everybody_is_gone_it_is_needed_again(anonymous_client: APIClient) -> None:
    assert anonymous_client.post(SETUP, GIVEN).status_code == 201
    User.objects.all().delete()
    assert not FirstRun.objects.exists()
    assert APIClient().post(SETUP, GIVEN).status_code == 201


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"email": "nonsense"}, "email", "invalid"),
        ({"email": ""}, "email", "blank"),
        ({"password": ""}, "password", "blank"),
        ({"password": "quick fox"}, "password", "password_too_short"),
        ({"password": "password123"}, "password", "password_too_common"),
        ({"password": "73016294857"}, "password", "password_entirely_numeric"),
        ({"password": "owner@example.co"}, "password", "password_too_similar"),
        ({"password": "x" * 1001}, "password", "max_length"),
        ({"email": "a\x00@example.com"}, "email", "null_characters_not_allowed"),
        ({"name": "x" * 151}, "name", "max_length"),
    ],
)
def test_bad_input_makes_nothing(
    anonymous_client: APIClient, change: dict[str, str], field: str, code: str
) -> None:
    response = anonymous_client.post(SETUP, {**GIVEN, **change})
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert code in [error["code"] for error in response.json()["errors"][field]]
    assert not User.objects.exists()


@pytest.mark.parametrize("code", [None, "", "wrong", "Kode", "ßß"])
def test_without_the_code_nothing_happens(
    anonymous_client: APIClient, settings: LazySettings, code: str | None
) -> None:
    settings.OPENAGENT_SETUP_CODE = "kode-1234"
    assert anonymous_client.get(SETUP).json() == {"needed": True, "code_required": True}
    given = GIVEN if code is None else {**GIVEN, "code": code}
    response = anonymous_client.post(SETUP, given)
    assert (response.status_code, response.json()["code"]) == (403, "wrong_setup_code")
    assert "kode-1234" not in response.content.decode()
    assert not User.objects.exists()


def test_with_the_code_it_works(anonymous_client: APIClient, settings: LazySettings) -> None:
    settings.OPENAGENT_SETUP_CODE = "kode-1234"
    assert anonymous_client.post(SETUP, {**GIVEN, "code": "kode-1234"}).status_code == 201


def test_the_code_cannot_be_guessed_quickly(anonymous_client: APIClient, settings: LazySettings) -> None:
    settings.OPENAGENT_SETUP_CODE = "kode-1234"
    answers = [anonymous_client.post(SETUP, {**GIVEN, "code": str(n)}).status_code for n in range(12)]
    assert answers == [403] * 10 + [429] * 2
    assert anonymous_client.get(SETUP).status_code == 200


def test_a_page_elsewhere_cannot_set_up(db: None) -> None:
    client = APIClient(enforce_csrf_checks=True)
    refused = client.post(SETUP, GIVEN)
    assert (refused.status_code, refused["content-type"]) == (403, "application/problem+json")
    assert not User.objects.exists()
    client.get("/")
    token = client.cookies["csrftoken"].value
    assert client.post(SETUP, GIVEN, HTTP_X_CSRFTOKEN=token).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_wins() -> None:
    barrier, outcomes = threading.Barrier(6), list[Any]()

    def set_up(number: int) -> None:
        barrier.wait()
        try:
            made = first_run.complete(email=f"owner{number}@example.com", password="correct horse battery")
            outcomes.append(made.email)
        except first_run.AlreadySetUp as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=set_up, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("already_set_up") == 5
    assert User.objects.get().email in outcomes
    assert FirstRun.objects.get().user == User.objects.get()
