"""Whatever breaks while a key passes through, it is in no answer, no error page, no log and no message."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import models
from rest_framework.test import APIClient

from keys_app import envelope, key_format, probe, record, services, vault
from keys_app.keks.local import LocalKek
from keys_app.models import ProviderKey
from openagent.lib import safe_http
from openagent.lib.redact import spellings
from sidecar.protocol import sealing
from tests.conftest import client_of
from tests.keys_app.conftest import CANARY, FakeProvider

BROWSER = "text/html, application/json"
PARTS = [
    (key_format, "check"),
    (key_format, "_check_prefix"),
    (key_format, "hint"),
    (envelope, "encrypt"),
    (envelope, "_derive"),
    (LocalKek, "wrap"),
    (envelope, "_open"),
    (vault, "fill"),
    (record, "write"),
    (vault, "_context"),
    (models.Model, "save"),
    (probe, "ask"),
    (probe, "_verdict"),
    (safe_http, "_target"),
    (safe_http, "_read"),
]


@pytest.fixture(autouse=True)
def no_throttle_of_another_test() -> None:
    cache.clear()


def break_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """A bug there: it fails with everything that it was given in its message."""
    original: Callable[..., Any] = getattr(owner, name)

    def broken(*args: Any, **more: Any) -> Any:
        kept = {"args": args, "more": more}
        raise RuntimeError(f"{original.__name__} broke with {kept}")

    monkeypatch.setattr(owner, name, broken)


def everything(client: APIClient, key: ProviderKey) -> str:
    """All that a client can do with a key, and all that it gets to see of it."""
    answers = [
        client.post("/api/v1/keys/", {"provider": "deepseek", "key": CANARY}, HTTP_ACCEPT=BROWSER),
        client.put(f"/api/v1/keys/{key.pk}/", {"key": CANARY}, HTTP_ACCEPT=BROWSER),
        client.post(f"/api/v1/keys/{key.pk}/test/", HTTP_ACCEPT=BROWSER),
    ]
    assert {answer.status_code for answer in answers} & {500}
    return "".join(f"{answer.content.decode()} {answer.headers}" for answer in answers)


@pytest.mark.parametrize(("owner", "name"), PARTS, ids=lambda part: getattr(part, "__name__", part))
@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_shows_no_key(
    key: ProviderKey,
    provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
    owner: Any,
    name: str,
    debug: bool,
) -> None:
    settings.DEBUG = debug
    settings.OPENAGENT_PROVIDER_BASE_URLS = {"openai": provider.url}
    caplog.set_level(logging.DEBUG)
    client = client_of(key.owner)
    client.raise_request_exception = False
    break_at(monkeypatch, owner, name)
    text = everything(client, key)
    for line in caplog.records:
        text += line.getMessage() + str(line.__dict__)
        if line.exc_info:
            text += "".join(traceback.format_exception(line.exc_info[1]))
    assert "RuntimeError" in text
    assert not [form for form in spellings(CANARY) if form in text]


def test_a_bug_while_sealing_shows_no_key(key: ProviderKey, monkeypatch: pytest.MonkeyPatch) -> None:
    break_at(monkeypatch, sealing, "to_text")
    with pytest.raises(RuntimeError) as caught:
        services.seal_for(
            key_id=key.pk,
            session_id=key.pk,
            generation=1,
            public_key=base64.b64encode(bytes([9, *bytes(31)])).decode(),
            nonce=base64.b64encode(bytes(16)).decode(),
        )
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "seal_for" in text
    assert not [form for form in spellings(CANARY) if form in text]
