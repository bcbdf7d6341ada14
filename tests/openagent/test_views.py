"""Health, readiness, metrics and the page that loads the frontend."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings


@pytest.fixture(autouse=True)
def no_look_of_another_test() -> None:
    cache.clear()


def test_health_looks_at_nothing_else(client: Client) -> None:
    assert client.get("/healthz").json()["status"] == "ok"


@pytest.mark.django_db
def test_readiness_is_ok_when_the_database_is_migrated(client: Client) -> None:
    checks = {"database": "ok", "redis": "ok", "instances": "ok"}
    assert client.get("/readyz").json() == {"status": "ok", "checks": checks}


@pytest.mark.django_db
def test_without_redis_it_is_ready_but_degraded(client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.CELERY_BROKER_URL = "redis+socket:///nowhere"
    settings.REDIS_URL = f"unix://{tmp_path}/absent.sock"
    answer = client.get("/readyz")
    assert answer.status_code == 200
    checks = {"database": "ok", "redis": "unreachable", "instances": "ok"}
    assert answer.json() == {"status": "degraded", "checks": checks}


@pytest.mark.django_db
def test_metrics_are_for_this_host_or_for_the_token(client: Client, settings: Settings) -> None:
    assert b"process_cpu_seconds_total" in client.get("/metrics").content
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 403
    assert client.get("/metrics", headers={"x-forwarded-for": "192.0.2.1"}).status_code == 403
    settings.OPENAGENT_METRICS_TOKEN = "the token of the metrics"
    assert client.get("/metrics").status_code == 403
    headers = {"authorization": "Bearer the token of the metrics"}
    assert client.get("/metrics", headers=headers).status_code == 200


def test_every_other_address_is_the_frontend(client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.OPENAGENT_FRONTEND_DIST = tmp_path
    assert b"is not built yet" in client.get("/sessions/1").content
    (tmp_path / "index.html").write_text("<html>built</html>")
    answer = client.get("/sessions/1")
    assert answer.content == b"<html>built</html>"
    assert answer["Cache-Control"] == "no-cache"
    assert "csrftoken" in answer.cookies
    assert "script-src 'self'" in answer["Content-Security-Policy"]


def test_an_unknown_api_address_is_a_problem_document(client: Client) -> None:
    answer = client.get("/api/v1/nothing/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not_found"


def test_a_bug_answers_with_the_id_that_finds_it_in_the_log(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    client.raise_request_exception = False
    # Reading a folder as a page is a bug as good as any.
    (tmp_path / "index.html").mkdir()
    settings.OPENAGENT_FRONTEND_DIST = tmp_path
    answer = client.get("/")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "internal"
    assert len(answer.json()["request_id"]) == 36


@pytest.mark.django_db
def test_the_api_is_described(client: Client) -> None:
    assert client.get("/api/schema/").status_code == 200
    assert client.get("/api/docs/").status_code == 200
    assert client.get("/admin/login/").status_code == 200


@pytest.mark.django_db
def test_a_database_that_is_away_is_told_apart_from_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("could not connect to server at secret.example")

    client = Client(raise_request_exception=False)
    monkeypatch.setattr("openagent.accounts.first_run.is_needed", away)
    answer = client.get("/api/v1/setup/")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert (answer.json()["code"], answer["Retry-After"]) == ("database_unavailable", "2")
    assert b"secret.example" not in answer.content
