"""me/ and client-errors/."""

from __future__ import annotations

import uuid

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group
from django.core.cache import cache
from rest_framework.test import APIClient

from keys_app import services
from openagent.accounts.models import User
from openagent.lib.redact import Secret

ME = "/api/v1/me/"
ERRORS = "/api/v1/client-errors/"


@pytest.fixture(autouse=True)
def no_throttle_of_another_test() -> None:
    cache.clear()


def test_me(
    alice: User, alice_client: APIClient, settings: LazySettings, anonymous_client: APIClient
) -> None:
    expected = {
        "id": str(alice.pk),
        "email": "alice@example.com",
        "name": "Alice",
        "is_staff": False,
        "has_keys": False,
        "demo_available": True,
        "version": settings.OPENAGENT_VERSION,
        "deleted_kept_seconds": 86400,
    }
    assert alice_client.get(ME).json() == expected
    services.create(owner_id=alice.pk, provider="gitlab", value=Secret("glpat-0123456789abcdefghij"))
    assert alice_client.get(ME).json() == expected, "a token for git is no key for models"
    services.create(owner_id=alice.pk, provider="mistral", value=Secret("0123456789"))
    assert alice_client.get(ME).json() == {**expected, "has_keys": True}
    nobody = anonymous_client.get(ME)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "not_authenticated")


def test_a_shared_key_is_one_too(alice: User, bob: User, alice_client: APIClient) -> None:
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    key = services.create(owner_id=bob.pk, provider="mistral", value=Secret("0123456789"))
    assert not alice_client.get(ME).json()["has_keys"]
    type(key).objects.update(is_for_everyone=True)
    assert alice_client.get(ME).json()["has_keys"]


def test_groups_are_all_to_administrators_and_ones_own_to_others(
    alice: User, alice_client: APIClient
) -> None:
    mine, _ = (Group.objects.create(name=name) for name in ("writers", "readers"))
    mine.user_set.add(alice)

    def names() -> list[str]:
        return [group["name"] for group in alice_client.get("/api/v1/groups/").json()["results"]]

    assert names() == ["writers"]
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert names() == ["readers", "writers"]


def test_a_browser_s_error_is_in_the_log_with_its_ids(
    alice: User, alice_client: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    session = uuid.uuid4()
    given = {
        "message": "TypeError: x is undefined",
        "stack": "at app.js:1",
        "url": "https://openagent.example/sessions/1?token=CANARY#CANARY",
        "session": str(session),
    }
    assert alice_client.post(ERRORS, given).status_code == 204
    [line] = [record.getMessage() for record in caplog.records if "browser_error" in record.getMessage()]
    for part in ("x is undefined", "at app.js:1", "/sessions/1", str(session), str(alice.pk)):
        assert part in line
    assert "CANARY" not in line


def test_anybody_may_report_but_not_too_much_and_not_too_often(
    anonymous_client: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    given = {"message": "m" * 100_000, "stack": "s" * 100_000, "url": "[::1" + "u" * 100_000}
    answers = [anonymous_client.post(ERRORS, given).status_code for _ in range(31)]
    assert answers == [204] * 30 + [429]
    assert max(len(record.getMessage()) for record in caplog.records) < 25_000


def test_secrets_in_an_error_are_masked(
    anonymous_client: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    given = {"message": "refused: Bearer sk-proj-0123456789abcdef", "stack": "api_key=0123456789abcdef"}
    assert anonymous_client.post(ERRORS, given).status_code == 204
    assert "browser_error" in caplog.text
    assert "0123456789abcdef" not in caplog.text


@pytest.mark.parametrize(
    "given", [{}, {"message": None}, {"message": "x", "session": "no uuid"}, {"message": "a\x00b"}, []]
)
def test_a_malformed_report_is_refused(anonymous_client: APIClient, given: object) -> None:
    assert anonymous_client.post(ERRORS, given).status_code == 400
