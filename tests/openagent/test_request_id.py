"""Whose id a request has in the log."""

from __future__ import annotations

import ast
import uuid

import pytest
from django.test import Client


def logged_id(client: Client, caplog: pytest.LogCaptureFixture, given: str) -> str:
    """What the request's line has as its id."""
    caplog.clear()
    client.get("/api/v1/nothing/", headers={"x-request-id": given})
    [line] = [record for record in caplog.records if "request_finished" in record.getMessage()]
    return str(ast.literal_eval(line.getMessage())["request_id"])


def test_a_client_may_choose_it(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    chosen = str(uuid.uuid4())
    assert logged_id(client, caplog, chosen) == chosen


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "with a blank in it", 'quote"d-and-long', "a-line\n", "ünïcödé-it-is"]
)
def test_what_is_no_id_is_replaced(client: Client, caplog: pytest.LogCaptureFixture, given: str) -> None:
    assert str(uuid.UUID(logged_id(client, caplog, given))) != given
    assert not given or given not in caplog.text
