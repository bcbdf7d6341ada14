"""The pages that belong to no app: health, readiness, metrics, and the page that loads the frontend."""

from __future__ import annotations

import secrets
import sys

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from openagent.lib import health, log, metrics
from openagent.lib.api import problem_response

logger = log.get(__name__)
_migrated = False
_LOOPBACK = {"127.0.0.1", "::1"}


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers; nothing else is looked at."""
    return JsonResponse({"status": "ok", "version": settings.OPENAGENT_VERSION})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Fails on the database only: without Redis, or an engine, everything still works, only later."""
    checks = {"database": _database(), "redis": _redis()}
    ready = checks["database"] == "ok"
    if ready:
        checks |= health.report()
    state = "ok" if all(value == "ok" for value in checks.values()) else "degraded"
    return JsonResponse(
        {"status": state if ready else "failed", "checks": checks}, status=200 if ready else 503
    )


@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """For Prometheus: with the token of OPENAGENT_METRICS_TOKEN, or without one from this host only."""
    if not _may_read_metrics(request):
        return problem_response(403, "forbidden", "Metrics need the metrics token.")
    return HttpResponse(metrics.render(), content_type="text/plain; version=0.0.4; charset=utf-8")


@require_safe
@ensure_csrf_cookie
def frontend(request: HttpRequest) -> HttpResponse:
    """Every address of the single-page application; its router reads the rest from the address."""
    index = settings.OPENAGENT_FRONTEND_DIST / "index.html"
    try:
        page = index.read_bytes()
    except FileNotFoundError:
        return render(request, "openagent/not_built.html", status=200)
    response = HttpResponse(page)
    response["Cache-Control"] = "no-cache"
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """What Django answers when a view fails; the id finds the traceback in the log."""
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return _database_away(request_id)
    detail = "Something went wrong on our side. Try again; if it stays, the log has it under this request_id."
    return problem_response(500, "internal", detail, request_id=request_id)


def _database_away(request_id: str) -> HttpResponse:
    """Not a fault of ours and likely to pass: clients are told when to come again."""
    detail = "The database does not answer or its disk is full. Nothing was changed; try again in a moment."
    response = problem_response(503, "database_unavailable", detail, request_id=request_id)
    response["Retry-After"] = "2"
    return response


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return "ok" if _is_migrated() else "not migrated"
    except DatabaseError:
        logger.exception("database_is_not_ready")
        return "unreachable"


def _is_migrated() -> bool:
    """Remembered once it is true: the files of this process's migrations do not change any more."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


def _redis() -> str:
    if not settings.CELERY_BROKER_URL.startswith("redis"):
        return "ok"
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        client.ping()
    except redis.RedisError:
        return "unreachable"
    finally:
        client.close()
    return "ok"


def _may_read_metrics(request: HttpRequest) -> bool:
    token = settings.OPENAGENT_METRICS_TOKEN
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return secrets.compare_digest(given.encode(), token.encode())
    # Behind a proxy every request comes from this host, so that says nothing there.
    direct = "X-Forwarded-For" not in request.headers
    return direct and request.META.get("REMOTE_ADDR") in _LOOPBACK
