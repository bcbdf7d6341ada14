"""What the log says about who asked for what."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings


def line_of(client: Client, caplog: pytest.LogCaptureFixture, *, path: str, forwarded: str = "") -> Any:
    client.get(path, headers={"x-forwarded-for": forwarded} if forwarded else {})
    [line] = [record for record in caplog.records if "request_finished" in record.getMessage()]
    return ast.literal_eval(line.getMessage())


def test_queries_are_not_in_it(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    line = line_of(client, caplog, path="/api/v1/nothing/?search=private+words")
    assert line["request"] == "GET /api/v1/nothing/"
    assert "private" not in caplog.text


def test_a_client_does_not_say_from_where_it_comes(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert line_of(client, caplog, path="/api/v1/nothing/", forwarded="8.8.8.8")["ip"] == "127.0.0.1"


def test_our_own_proxy_does(client: Client, caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    line = line_of(client, caplog, path="/api/v1/nothing/", forwarded="8.8.8.8, 9.9.9.9")
    assert line["ip"] == "9.9.9.9"
