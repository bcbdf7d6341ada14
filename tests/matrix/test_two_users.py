"""Every REST operation on Alice's things, called by whoever she is not."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db.models import Model
from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from openagent.accounts import tokens
from openagent.accounts.models import Scope, User
from tests.conftest import client_of
from tests.matrix.routes import API, METHODS, ROUTES, Operation, Things, all_operations, make_things

OPERATIONS = all_operations()
GUARDED = [
    operation for operation in OPERATIONS if ROUTES.get(operation.route, ROUTES["me/"]).kind != "public"
]
OF_OBJECTS = [
    operation for operation in GUARDED if ROUTES.get(operation.route) and operation.rule.kind == "object"
]
OTHERS = [operation for operation in GUARDED if operation not in OF_OBJECTS]


def bearer(user: User, *scopes: str) -> APIClient:
    _, text = tokens.issue(user_id=user.pk, name="matrix", scopes=scopes, expires_at=None)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text.reveal()}")
    return client


def rows_of(things: Things) -> list[dict[str, Any]]:
    """All columns of everything that Alice owns, as they are stored now."""
    rows: list[Model] = [things.session, things.instance, things.prompt, things.running, things.permission]
    rows += [things.key, things.token, things.terminal, things.rule, things.budget, things.browser]
    found = []
    for row in rows:
        stored = type(row)._default_manager.filter(pk=row.pk).values().get()
        found.append({name: bytes(v) if isinstance(v, memoryview) else v for name, v in stored.items()})
    return found


def test_every_route_is_in_the_matrix() -> None:
    assert {operation.route for operation in OPERATIONS} == set(ROUTES)
    assert len(OPERATIONS) > len(ROUTES)


def test_nothing_else_is_reached_beside_the_api() -> None:
    """What is below these is guarded and tested where it is made; a new one has to be thought of here."""
    top = {str(entry.pattern) for entry in get_resolver().url_patterns}
    assert top == {
        "healthz",
        "readyz",
        "metrics",
        "admin/",
        "_allauth/",
        "api/v1/",
        "api/schema/",
        "api/docs/",
        "^(api|_allauth|ws|static)(/|$)",
        "^",
    }


def test_every_body_is_for_an_operation_that_exists() -> None:
    with_bodies = {(route, method) for route, rule in ROUTES.items() for method in rule.bodies}
    writing = {(o.route, o.method) for o in OPERATIONS if o.method in {"post", "put", "patch"}}
    assert with_bodies == writing


def test_the_description_shows_every_operation() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    described = {
        (re.sub(r"\{\w+\}", "{}", path.removeprefix(API)), method)
        for path, item in schema["paths"].items()
        for method in item
        if method in METHODS
    }
    assert described == {(operation.route, operation.method) for operation in OPERATIONS}


@pytest.mark.parametrize("operation", OF_OBJECTS, ids=str)
def test_to_a_stranger_it_is_not_there(
    things: Things, charlie_client: APIClient, operation: Operation
) -> None:
    before = rows_of(things)
    response = operation.call(charlie_client, things)
    assert response.status_code == 404, response.content
    assert response.json()["code"] == "not_found"
    assert not [secret for secret in things.ids() if secret in response.content.decode()]
    assert rows_of(things) == before


@pytest.mark.parametrize("operation", OF_OBJECTS, ids=str)
def test_what_is_there_and_what_is_not_look_the_same_to_a_stranger(
    things: Things, bob: User, charlie_client: APIClient, operation: Operation
) -> None:
    theirs = make_things(bob)
    for row in (theirs.rule, theirs.token, theirs.key, theirs.permission, theirs.prompt, theirs.running):
        row.delete()
    theirs.browser.delete()
    theirs.session.delete()
    gone = Things(**{name: getattr(theirs, name) for name in Things.__slots__})
    for name in ("rule", "token", "key", "permission", "prompt", "session", "browser"):
        # Deleting cleared the keys of these objects; any unknown id will do.
        getattr(gone, name).pk = things.owner.pk
    absent, present = operation.call(charlie_client, gone), operation.call(charlie_client, things)
    assert (absent.status_code, absent.json()) == (present.status_code, present.json())


@pytest.mark.parametrize("operation", OTHERS, ids=str)
def test_a_stranger_sees_nothing_of_it(
    things: Things, charlie_client: APIClient, operation: Operation
) -> None:
    before = rows_of(things)
    response = operation.call(charlie_client, things)
    assert response.status_code in {200, 201, 204}, response.content
    assert not [secret for secret in things.ids() if secret in response.content.decode()]
    assert rows_of(things) == before


@pytest.mark.parametrize("operation", GUARDED, ids=str)
def test_nobody_gets_in_without_signing_in(
    things: Things, alice: User, anonymous_client: APIClient, operation: Operation
) -> None:
    """And a disabled user is nobody."""
    disabled = [client_of(alice), bearer(alice, Scope.ADMIN)]
    alice.is_active = False
    alice.save()
    before = rows_of(things)
    for client in (anonymous_client, *disabled):
        response = operation.call(client, things)
        assert response.status_code == 401, response.content
    assert rows_of(things) == before


@pytest.mark.parametrize("operation", GUARDED, ids=str)
def test_a_token_that_may_only_look_changes_nothing(
    things: Things, alice: User, operation: Operation
) -> None:
    client = bearer(alice, Scope.READ)
    before = rows_of(things)
    response = operation.call(client, things)
    if operation.method == "get" or operation.route == "ws-tickets/":
        assert response.status_code in {200, 201, 409}, response.content
    else:
        assert (response.status_code, response.json()["code"]) == (403, "scope_missing")
        assert rows_of(things) == before


@pytest.mark.parametrize("operation", [o for o in GUARDED if o.route != "keys/{}/test/"], ids=str)
def test_the_owner_does_get_in(things: Things, alice_client: APIClient, operation: Operation) -> None:
    """Without this the tests above would hold for addresses that answer nobody."""
    response = operation.call(alice_client, things)
    if operation.route.startswith(("sessions/{}/files/", "sessions/{}/changes/")):
        assert (response.status_code, response.json()["code"]) == (409, "asleep")
    else:
        assert response.status_code in {200, 201, 204}, response.content


@pytest.mark.parametrize("operation", [o for o in GUARDED if o.method != "get"], ids=str)
def test_another_site_cannot_write_with_her_cookie(things: Things, alice: User, operation: Operation) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice)
    before = rows_of(things)
    response = operation.call(client, things)
    assert response.status_code == 403, response.content
    assert "CSRF" in json.dumps(response.json())
    assert rows_of(things) == before
