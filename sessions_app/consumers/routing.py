"""The addresses of the sockets."""

from __future__ import annotations

from typing import Any, cast

from django.urls import path, re_path

from sessions_app.consumers.base import refuse_unknown
from sessions_app.consumers.link import LinkConsumer
from sessions_app.consumers.session import SessionConsumer
from sessions_app.consumers.terminal import TerminalConsumer

# Channels routes to ASGI applications with Django's paths, whose types know of views only.
websocket_urlpatterns = [
    path("ws/link/", cast(Any, LinkConsumer.as_asgi())),
    path("ws/sessions/<uuid:session_id>/", cast(Any, SessionConsumer.as_asgi())),
    path(
        "ws/sessions/<uuid:session_id>/terminals/<uuid:terminal_id>/", cast(Any, TerminalConsumer.as_asgi())
    ),
    re_path(r"", cast(Any, refuse_unknown)),
]
