"""The id of a request in the log is the one that its client chose, if it has the shape of an id."""

from __future__ import annotations

import re

import structlog
from django.dispatch import receiver
from django.http import HttpRequest
from django_structlog.signals import bind_extra_request_metadata

# It is written to logs, stored, and carried to sidecars: no room for anything but a number or a name.
_SHAPE = re.compile(r"[A-Za-z0-9-]{8,64}")


@receiver(bind_extra_request_metadata)
def take(request: HttpRequest, **kwargs: object) -> None:
    """Puts the client's `X-Request-ID` in the place of the one made for the request."""
    given = request.headers.get("X-Request-ID", "")
    if _SHAPE.fullmatch(given):
        structlog.contextvars.bind_contextvars(request_id=given)
