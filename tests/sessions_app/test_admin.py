"""The admin shows every kind of row, in short, and changes none but through the services."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission as ModelPermission
from django.core.cache import cache
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app.models import (
    Budget,
    Command,
    CustomAgent,
    EgressBounds,
    EgressRule,
    Host,
    Instance,
    InstanceState,
    InstanceUse,
    PoolMember,
    Price,
    Session,
    StorageDay,
    TerminalPiece,
    UsageEvent,
)
from tests.conftest import client_of
from tests.sessions_app.conftest import (
    make_events,
    make_instance,
    make_permission,
    make_prompt,
    make_session,
    make_terminal,
)

MODELS = list(apps.get_app_config("sessions_app").get_models())
# All but what administrators make here themselves, and what belongs to a user or to nobody.
NOT_OF_SESSIONS = (Budget, CustomAgent, EgressBounds, EgressRule, Host, PoolMember, Price)
OF_SESSIONS = [model for model in MODELS if model not in NOT_OF_SESSIONS]
LONG = "x" * 100_000
SECRET = "ref-of-the-driver-that-nobody-needs"


@pytest.fixture
def admin_client(admin: User) -> APIClient:
    return client_of(admin)


@pytest.fixture
def rows(alice: User) -> dict[type[Model], Model]:
    """One of each, with the longest texts that there are."""
    session = make_session(alice, title="A title")
    instance = make_instance(session, driver_ref={"pid": SECRET}, public_key=SECRET, last_command=1)
    data = {"part_id": "p", "offset": 0, "text": LONG}
    terminal = make_terminal(session, command=[LONG])
    return {
        type(row): row
        for row in (
            session,
            instance,
            make_prompt(session, text=LONG),
            make_events(session, [{"kind": "message.delta", "data": data}])[0],
            make_permission(session, asked={"title": LONG}, message=LONG, answers=[[LONG]]),
            Command.objects.create(instance=instance, number=1, verb="turn.start", data={"text": LONG}),
            UsageEvent.objects.create(
                session=session, owner=alice, request_id="r", model="m", input=1, output=1
            ),
            InstanceUse.objects.create(
                session=session,
                owner=alice,
                generation=1,
                launched_at=timezone.now(),
                ended_at=timezone.now(),
            ),
            StorageDay.objects.create(session=session, owner=alice, day=timezone.now(), most=2, last=1),
            Budget.objects.create(session=session, measure="tokens", limit=5),
            Price.objects.create(
                provider="openai", pattern="p", valid_from=timezone.now(), input=1, output=2
            ),
            terminal,
            TerminalPiece.objects.create(terminal=terminal, offset=0, data=SECRET.encode()),
            PoolMember.objects.create(
                agent="opencode", driver="fake", driver_ref={"pid": SECRET}, public_key=SECRET
            ),
            EgressBounds.objects.create(pk=1),
            EgressRule.objects.create(owner=alice, host="a.example", verdict="never", session=session),
            Host.objects.create(driver="fake"),
            CustomAgent.objects.create(slug="mine", name="Mine", command=["mine"], wires=["openai-chat"]),
        )
    }


def url_of(model: type[Model], page: str, *arguments: Any) -> str:
    return reverse(f"admin:sessions_app_{model._meta.model_name}_{page}", args=arguments)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_kind_of_row_has_its_pages(
    admin_client: APIClient, rows: dict[type[Model], Model], model: type[Model]
) -> None:
    assert model in admin.site._registry
    for url in (url_of(model, "changelist"), url_of(model, "change", rows[model].pk)):
        page = admin_client.get(url)
        assert page.status_code == 200
        text = page.content.decode()
        assert "x" * 501 not in text
        assert SECRET not in text


@pytest.mark.parametrize("model", OF_SESSIONS, ids=lambda model: model.__name__)
def test_nothing_is_added_changed_or_deleted_by_hand(
    admin_client: APIClient, rows: dict[type[Model], Model], model: type[Model]
) -> None:
    row = rows[model]
    for url in (url_of(model, "add"), url_of(model, "change", row.pk), url_of(model, "delete", row.pk)):
        assert admin_client.post(url, {"post": "yes"}, format="multipart").status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", OF_SESSIONS, ids=lambda model: model.__name__)
def test_rows_are_found_by_the_session_and_by_the_owner(
    admin_client: APIClient, rows: dict[type[Model], Model], bob: User, model: type[Model]
) -> None:
    other = make_session(bob)
    for term, found in ((str(rows[Session].pk), 1), ("alice@", 1), (str(other.pk), 0), ("nobody@", 0)):
        changes = admin_client.get(url_of(model, "changelist"), {"q": term}).context["cl"]
        expected = 1 if model is Session and term == str(other.pk) else found
        assert changes.result_count == expected, term


def test_sessions_are_stopped_and_deleted_through_the_service(
    admin_client: APIClient, rows: dict[type[Model], Model]
) -> None:
    session = rows[Session]
    for action in ("stop", "delete_softly"):
        form = {"action": action, "_selected_action": str(session.pk)}
        assert admin_client.post(url_of(Session, "changelist"), form, format="multipart").status_code == 302
    assert Instance.objects.get().state == InstanceState.STOPPING
    assert Session.objects.get().deleted_at is not None


def test_who_may_only_look_cannot_stop_sessions(alice: User, rows: dict[type[Model], Model]) -> None:
    may_look = ModelPermission.objects.get(codename="view_session", content_type__app_label="sessions_app")
    alice.is_staff = True
    alice.save()
    alice.user_permissions.add(may_look)
    client = client_of(alice)
    assert client.get(url_of(Session, "changelist")).status_code == 200
    form = {"action": "stop", "_selected_action": str(rows[Session].pk)}
    client.post(url_of(Session, "changelist"), form, format="multipart")
    assert Instance.objects.get().state == InstanceState.READY


def test_the_list_of_instances_says_what_holds_boxes(admin_client: APIClient) -> None:
    cache.set("instances.isolation", {"runtime of boxes": "runsc", "size of disks": "not enforced"})
    page = admin_client.get(reverse("admin:sessions_app_instance_changelist")).content.decode()
    assert "runtime of boxes: runsc, size of disks: not enforced" in page


def test_the_list_of_instances_says_how_long_starts_took(admin_client: APIClient, alice: User) -> None:
    now = timezone.now()
    for number, seconds in enumerate(range(1, 22)):
        at = [now + timedelta(seconds=after) for after in (0, seconds / 10, seconds)]
        stages = [
            {"name": name, "at": when.isoformat()}
            for name, when in zip(("requested", "box", "ready"), at, strict=True)
        ]
        Instance.objects.create(
            session=make_session(alice), generation=number, driver="process", stages=stages, ready_at=at[-1]
        )
    page = admin_client.get(reverse("admin:sessions_app_instance_changelist"))
    assert [times[2:] for times in page.context["starts"]] == [
        ("box", 21, pytest.approx(1.1), pytest.approx(2.0)),
        ("ready", 21, pytest.approx(11.0), pytest.approx(20.0)),
    ]
    assert "<td>20.00</td>" in page.content.decode()
