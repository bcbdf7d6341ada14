"""The administrator's page of what boxes may reach: one row, checked, and live boxes hear of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from openagent.accounts.models import User
from sessions_app.models import EgressBounds, EgressRule, Session
from sessions_app.services import egress
from tests.sessions_app.services.test_egress import REGISTRIES, linked, told

ADD = "/admin/sessions_app/egressbounds/add/"
CHANGE = "/admin/sessions_app/egressbounds/1/change/"
FORM = {"loosest": "full", "default_policy": "allow-list", "default_ask": "on", "users_add_hosts": "on"}


@pytest.fixture
def admin_client(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def save(client: Client, address: str, **fields: Any) -> Any:
    return client.post(address, {**FORM, "always": "", "never": "", "git_hosts": "", **fields})


def test_there_is_one_row_and_it_stays(admin_client: Client) -> None:
    assert save(admin_client, ADD, always="*.ours.example\nB.example").status_code == 302
    assert EgressBounds.objects.get().named("always") == ["*.ours.example", "b.example"]
    assert admin_client.get(ADD).status_code == 403
    assert admin_client.post("/admin/sessions_app/egressbounds/1/delete/", {"post": "yes"}).status_code == 403


def test_a_host_that_is_none_is_named(admin_client: Client) -> None:
    page = save(admin_client, ADD, never="fine.example\nhttps://b.example").content.decode()
    assert "“https://b.example”: Write only the host" in page
    assert not EgressBounds.objects.exists()


def test_saving_leaves_the_registries_and_tells_live_boxes(
    admin_client: Client, session: Session, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    problems = ["npm is not here, so nobody can say which registry it uses."]
    EgressBounds.objects.create(pk=1, registries=REGISTRIES, registry_problems=problems)
    instance = linked(session)
    page = admin_client.get(CHANGE).content.decode()
    assert "pip: mirror.lan:8080" in page and "npm: tarballs.example:443, public addresses only" in page
    assert problems[0] in page
    with django_capture_on_commit_callbacks(execute=True):
        assert save(admin_client, CHANGE, loosest="none").status_code == 302
    assert EgressBounds.objects.get().registries == REGISTRIES
    assert [data["policy"] for data in told(instance)] == ["none"]


def test_rules_are_taken_back_through_the_service(
    admin_client: Client, session: Session, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    rule = egress.decide(owner_id=session.owner_id, host="a.example", verdict="always")
    instance = linked(session)
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(f"/admin/sessions_app/egressrule/{rule.pk}/delete/", {"post": "yes"})
    assert not EgressRule.objects.exists()
    assert [data["hosts"] for data in told(instance)] == [[]]
