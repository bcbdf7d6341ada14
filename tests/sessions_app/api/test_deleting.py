"""Deleting a session over REST, and taking that back."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.test import APIClient

from sessions_app.api import answers
from sessions_app.models import Session
from tests.sessions_app.api.problems import problem
from tests.sessions_app.conftest import make_session

URL = "/api/v1/sessions/"


def ids(client: APIClient, query: str = "") -> list[str]:
    return [row["id"] for row in client.get(f"{URL}{query}").json()["results"]]


def test_a_deleted_session_is_hidden_at_once_and_can_come_back(
    session: Session, alice_client: APIClient
) -> None:
    other = make_session(session.owner)
    url = f"{URL}{session.pk}/"
    assert alice_client.delete(url).status_code == 204
    assert ids(alice_client) == ids(alice_client, "?deleted=false") == [str(other.pk)]
    problem(alice_client.get(url), 404, "not_found")
    row = alice_client.get(f"{URL}?deleted=true").json()["results"][0]
    assert row["id"] == str(session.pk)
    assert row["restorable_until"] > row["deleted_at"]
    assert answers.SessionSerializer(row).data == row
    assert alice_client.post(f"{url}restore/").json()["id"] == str(session.pk)
    assert ids(alice_client, "?deleted=true") == []
    assert set(ids(alice_client)) == {str(session.pk), str(other.pk)}
    assert "deleted_at" not in alice_client.post(f"{url}restore/").json()


def test_what_is_being_purged_is_neither_listed_nor_restored(
    session: Session, alice_client: APIClient
) -> None:
    Session.objects.filter(pk=session.pk).update(deleted_at=timezone.now(), purge_begun_at=timezone.now())
    assert ids(alice_client, "?deleted=true") == []
    problem(alice_client.post(f"{URL}{session.pk}/restore/"), 404, "not_found")


def test_a_stranger_s_deleted_session_is_not_there(session: Session, charlie_client: APIClient) -> None:
    Session.objects.filter(pk=session.pk).update(deleted_at=timezone.now())
    assert ids(charlie_client, "?deleted=true") == []
    problem(charlie_client.post(f"{URL}{session.pk}/restore/"), 404, "not_found")
