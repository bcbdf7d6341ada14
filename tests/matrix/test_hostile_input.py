"""Every REST operation, called by its owner with what no client should ever send."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from rest_framework.test import APIClient

from tests.matrix import noticing
from tests.matrix.routes import API, Operation, Things, all_operations

# A key is tested by asking its provider: nothing that is sent here matters to it.
OPERATIONS = [operation for operation in all_operations() if operation.route != "keys/{}/test/"]
WRITING = [operation for operation in OPERATIONS if operation.rule.bodies.get(operation.method) is not None]
READING = [operation for operation in OPERATIONS if operation.method == "get"]

NOT_JSON = {
    "empty": b"{",
    "not utf-8": b'{"text": "\xff\xfe"}',
    "utf-16": '{"text": "x"}'.encode("utf-16"),
    "NaN": b'{"text": NaN}',
    "infinity": b"-Infinity",
    "trailing comma": b'{"text": "x",}',
    "single quotes": b"{'text': 'x'}",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "closed deep lists": b"[" * 50_000 + b"]" * 50_000,
    "endless number": b'{"text": ' + b"9" * 100_000 + b"}",
    "control character": b'{"text": "a\nb"}',
    "null byte": b'\x00{"text": "x"}',
    "two values": b"{} {}",
}
NOT_OBJECTS: list[Any] = [None, [], [[]], "text", 0, 1e308, True, [{}]]
VALUES: list[Any] = [
    None,
    True,
    -1,
    2**63,
    10**400,
    1e308,
    "",
    "\x00",
    "\ud800",
    "\x1b]0;title\x07",
    "‮",
    "x" * 100_000,
    "../../etc/passwd",
    "' OR 1=1 --",
    [],
    [[["x"]]],
    {},
    {"id": {"id": {}}},
]
ROW_VALUES: list[Any] = [-1, 2**63, 10**400, "\x00", "\ud800", "x" * 100_000]
"""Of these databases think differently; what the others do is known before any row is touched."""
QUERIES = [
    "%00",
    "%ff%fe",
    "%ED%A0%80",
    "x" * 5000,
    "-1",
    str(2**63),
    "9" * 5000,
    "null",
    "[]",
    "1e9",
    "..%2f..",
]
ROW_QUERIES = ["%00", "%ED%A0%80", "-1", str(2**63), "9" * 5000]
NOT_JSON_KINDS = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=nonsense",
    "application/json; charset=bz2",
    "application/json; charset=idna",
    "application/xml",
    "/",
]
FIELDS = ["id", "prompt", "mode", "model", "title", "key", "answers", "turn", "expires_at", "name"]
PARAMETERS = ["cursor", "limit", "q", "status", "archived", "state", "session", "after", "row", "path"]
PARAMETERS += ["from", "to", "group", "download", "provider"]

ANYWHERE = {"format"}
"""REST framework looks at these itself, before any view."""


def send(
    client: APIClient,
    things: Things,
    operation: Operation,
    body: bytes,
    content_type: str = "application/json",
) -> Any:
    cache.clear()  # so that no limit of requests answers instead
    call: Any = getattr(client, operation.method)
    return call(operation.url(things), body, content_type=content_type)


def refused(response: Any) -> bool:
    """A problem document that says whose fault it was: not ours."""
    assert 400 <= response.status_code < 500, (response.status_code, response.content[:300])
    assert response["Content-Type"] == "application/problem+json"
    return bool(response.json()["detail"])


def unbroken(response: Any, names: Iterable[str], value: Any) -> None:
    assert response.status_code < 500, (names, str(value)[:50], response.content[:300])
    if response.status_code >= 400:
        refused(response)


def try_all(
    ask: Callable[[Iterable[str], Any], None], known: list[str], values: list[Any], seen: set[str]
) -> None:
    """Gives each value to each name that the operation looks at, and to all others together."""
    ask([], "")
    for value in values:
        ask([name for name in known if name not in seen], value)
    tried: set[str] = set()
    while untried := sorted(seen - tried - ANYWHERE):
        for name in untried:
            for value in values:
                ask([name], value)
        tried.update(untried)


def test_what_a_view_looks_at_is_noticed(
    things: Things, alice_client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the tests below would try little of it."""
    parameters, fields = noticing.parameters(monkeypatch), noticing.fields(monkeypatch)
    Operation("sessions/{}/events/", "get").call(alice_client, things)
    assert {"after", "limit", *ANYWHERE} <= parameters
    Operation("tokens/", "post").call(alice_client, things)
    assert fields == {"name", "scopes", "expires_at"}


@pytest.mark.parametrize("operation", WRITING, ids=str)
def test_what_is_not_json_is_refused(things: Things, alice_client: APIClient, operation: Operation) -> None:
    for name, body in NOT_JSON.items():
        response = send(alice_client, things, operation, body)
        assert refused(response), name
        assert response.status_code == 400, name


@pytest.mark.parametrize("operation", WRITING, ids=str)
def test_what_is_no_object_is_refused(things: Things, alice_client: APIClient, operation: Operation) -> None:
    for value in NOT_OBJECTS:
        assert refused(send(alice_client, things, operation, json.dumps(value).encode())), value


@pytest.mark.parametrize("operation", [o for o in WRITING if o.rule.bodies[o.method]], ids=str)
def test_no_value_of_any_field_breaks_it(
    things: Things, alice_client: APIClient, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid = operation.rule.bodies[operation.method]

    def ask(names: Iterable[str], value: Any) -> None:
        body = {**valid, **dict.fromkeys(names, value)}
        unbroken(send(alice_client, things, operation, json.dumps(body).encode()), names, value)

    try_all(
        ask, FIELDS, VALUES if connection.vendor == "sqlite" else ROW_VALUES, noticing.fields(monkeypatch)
    )


@pytest.mark.parametrize("operation", WRITING, ids=str)
def test_too_much_is_refused(things: Things, alice_client: APIClient, operation: Operation) -> None:
    response = send(alice_client, things, operation, b"[" * (5 << 20))
    assert refused(response)
    assert response.status_code == 413


@pytest.mark.parametrize("operation", WRITING, ids=str)
def test_another_kind_of_body_is_refused(
    things: Things, alice_client: APIClient, operation: Operation
) -> None:
    for kind in NOT_JSON_KINDS:
        assert refused(send(alice_client, things, operation, b"\xff\xfe\x00", content_type=kind)), kind


@pytest.mark.parametrize("operation", READING, ids=str)
def test_no_parameter_breaks_it(
    things: Things, alice_client: APIClient, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = operation.url(things)

    def ask(names: Iterable[str], value: str) -> None:
        query = "&".join(f"{name}={value}" for name in names)
        unbroken(alice_client.get(f"{url}{'&' if '?' in url else '?'}{query}"), names, value)

    values = QUERIES if connection.vendor == "sqlite" else ROW_QUERIES
    try_all(ask, PARAMETERS, values, noticing.parameters(monkeypatch))


@pytest.mark.parametrize("name", sorted(ANYWHERE))
def test_no_parameter_of_all_addresses_breaks_one(alice_client: APIClient, name: str) -> None:
    for value in QUERIES:
        unbroken(alice_client.get(f"{API}me/?{name}={value}"), [name], value)


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_method_that_it_does_not_have_is_refused(
    things: Things, alice_client: APIClient, operation: Operation
) -> None:
    had = {o.method for o in all_operations() if o.route == operation.route}
    for method in {"get", "post", "put", "patch", "delete"} - had:
        response = getattr(alice_client, method)(operation.url(things), {}, format="json")
        assert refused(response)
        assert response.status_code in {405, 429}
