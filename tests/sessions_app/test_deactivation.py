"""A user who is deactivated in the admin: signed out everywhere, for good, and nothing of theirs runs on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from openagent.accounts import tokens
from openagent.accounts.models import User
from sessions_app.models import Instance, InstanceState
from tests.conftest import client_of
from tests.sessions_app.conftest import make_instance, make_session

ME = "/api/v1/me/"


@pytest.fixture
def deactivate(
    admin: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Callable[[User], None]:
    """As the admin page does it: the form with the tick taken away."""

    def act(user: User) -> None:
        client = client_of(admin)
        url = reverse("admin:accounts_user_change", args=[user.pk])
        form = {"email": user.email, "display_name": user.display_name}
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post(url, form, format="multipart").status_code == 302
        user.refresh_from_db()
        assert not user.is_active

    return act


def test_logins_and_tokens_end_and_stay_ended(
    alice: User, bob: User, deactivate: Callable[[User], None]
) -> None:
    _, text = tokens.issue(user_id=alice.pk, name="t", scopes=["read"], expires_at=None)
    by_cookie, by_token, other = client_of(alice), APIClient(), client_of(bob)
    by_token.credentials(HTTP_AUTHORIZATION=f"Bearer {text.reveal()}")
    assert [client.get(ME).status_code for client in (by_cookie, by_token)] == [200, 200]
    deactivate(alice)
    assert {client.get(ME).status_code for client in (by_cookie, by_token)} <= {401, 403}
    User.objects.filter(pk=alice.pk).update(is_active=True)
    assert {client.get(ME).status_code for client in (by_cookie, by_token)} <= {401, 403}
    assert other.get(ME).status_code == 200


def test_what_runs_for_them_is_stopped_at_once(
    alice: User, bob: User, deactivate: Callable[[User], None]
) -> None:
    mine, other = (make_instance(make_session(user)) for user in (alice, bob))
    deactivate(alice)
    states = {row.pk: row.state for row in Instance.objects.all()}
    assert states == {mine.pk: InstanceState.STOPPING, other.pk: InstanceState.READY}
