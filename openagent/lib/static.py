"""Serves Django's static files and the built frontend through whitenoise."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware

_HASHED = re.compile(r"^/assets/.+-[A-Za-z0-9_-]{8,}\.\w+$")


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # whitenoise is untyped
    """Adds the frontend's build to the root of the site, except its index, which a view serves.

    Vite has put a hash into the names under /assets/ already, so they may be cached for ever.
    """

    def __init__(self, get_response: Any = None) -> None:
        super().__init__(get_response)
        dist = settings.OPENAGENT_FRONTEND_DIST
        if dist.is_dir():
            self.add_files(str(dist), prefix="/")
            self.files.pop("/index.html", None)

    def immutable_file_test(self, path: str, url: str) -> bool:
        return bool(_HASHED.match(url)) or bool(super().immutable_file_test(path, url))

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """Answers from memory: an ASGI server would read whitenoise's own streaming answer in whole anyway,
        and warn about it."""
        found = static_file.get_response(request.method, request.META)
        with found.file or nullcontext() as file:
            response = HttpResponse(file.read() if file else b"", status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response
