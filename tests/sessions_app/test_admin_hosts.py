"""What administrators do with instances and their host: stop, remove, read logs, drain."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Model
from django.urls import reverse
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app import tasks
from sessions_app.models import Host, Instance, InstanceState
from sessions_app.services import instances, reconciler
from tests.conftest import client_of
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import make_session
from tests.sessions_app.services.conftest import get_ready

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_client(admin: User) -> APIClient:
    return client_of(admin)


@pytest.fixture
def instance(alice: User, driver: FakeDriver) -> Instance:
    """Ready, on the engine, and with something in its log."""
    made = instances.wake(session_id=make_session(alice).pk)
    assert made is not None
    instances.launch(instance_id=made.pk)
    driver.instances[str(made.pk)].log += ["sidecar: <b>hello</b>"]
    return get_ready(made)


def act(client: APIClient, model: type[Model], action: str, *rows: Model) -> Any:
    form = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    page = reverse(f"admin:sessions_app_{model._meta.model_name}_changelist")
    return client.post(page, form, format="multipart")


def fresh(instance: Instance) -> Instance:
    return Instance.objects.get(pk=instance.pk)


def test_an_instance_is_stopped(admin_client: APIClient, instance: Instance) -> None:
    assert act(admin_client, Instance, "stop", instance).status_code == 302
    assert (fresh(instance).state, fresh(instance).stop_reason) == (InstanceState.STOPPING, "user")


def test_an_instance_is_removed_at_once_whatever_it_does(
    admin_client: APIClient, instance: Instance, driver: FakeDriver
) -> None:
    assert act(admin_client, Instance, "remove", instance).status_code == 302
    assert (fresh(instance).state, fresh(instance).error_code) == (InstanceState.LOST, "removed")
    reconciler.reconcile()
    assert not driver.instances and fresh(instance).removed_at is not None
    assert act(admin_client, Instance, "remove", instance).status_code == 302, "It may be repeated."


def test_its_logs_are_read_by_whoever_may_ask_the_engine(
    admin_client: APIClient, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sessions_app.jobs.read_logs", lambda instance_id: asked.append(str(instance_id)))
    page = reverse("admin:instance_logs", args=[instance.pk])
    change = reverse("admin:sessions_app_instance_change", args=[instance.pk])
    assert page in admin_client.get(change).content.decode()
    assert not asked and b"hello" not in admin_client.get(page).content
    assert admin_client.post(page).status_code == 302 and asked == [str(instance.pk)]
    assert b'http-equiv="refresh"' in admin_client.get(page).content
    tasks.read_logs(instance_id=asked[0])
    text = admin_client.get(page).content.decode()
    assert "sidecar: &lt;b&gt;hello&lt;/b&gt;" in text and "refresh" not in text


def test_what_the_engine_cannot_do_is_told_in_place_of_the_logs(
    admin_client: APIClient, instance: Instance, driver: FakeDriver
) -> None:
    driver.fail_next("logs")
    tasks.read_logs(instance_id=str(instance.pk))
    page = admin_client.get(reverse("admin:instance_logs", args=[instance.pk])).content.decode()
    assert "<code>" in page and "hello" not in page


def test_who_may_only_look_does_nothing(alice: User, instance: Instance) -> None:
    alice.is_staff = True
    alice.save()
    host = Host.objects.create(driver="fake")
    client = client_of(alice)
    for model, action, row in ((Instance, "remove", instance), (Host, "drain", host)):
        assert act(client, model, action, row).status_code == 403
    assert client.get(reverse("admin:instance_logs", args=[instance.pk])).status_code == 403
    assert fresh(instance).state == InstanceState.READY
