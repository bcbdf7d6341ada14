"""The addresses of the sockets."""

from __future__ import annotations

from django.urls import path, re_path

from sessions_app.consumers.base import refuse_unknown
from sessions_app.consumers.link import LinkConsumer
from sessions_app.consumers.session import SessionConsumer

websocket_urlpatterns = [
    path("ws/link/", LinkConsumer.as_asgi()),
    path("ws/sessions/<uuid:session_id>/", SessionConsumer.as_asgi()),
    re_path(r"", refuse_unknown),
]
