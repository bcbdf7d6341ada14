"""Says in the log which request came from where, in words that neither tell nor believe too much."""

from __future__ import annotations

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware
from rest_framework.throttling import BaseThrottle


class RequestLineMiddleware(RequestMiddleware):
    """As django-structlog's, which writes queries too, and believes the client about its address."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        # In queries are the words that somebody searches for, and paths of their files.
        return f"{request.method} {request.get_full_path().partition('?')[0]}"

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        # The one that limits go by: of `X-Forwarded-For` only what our own proxies wrote.
        structlog.contextvars.bind_contextvars(ip=BaseThrottle().get_ident(request))  # type: ignore[arg-type]
