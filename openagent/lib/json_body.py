"""Reads request bodies: JSON of a limited size and depth, refused with a problem document otherwise."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework import exceptions, parsers

from openagent.lib.errors import AppError


class BodyTooLarge(AppError):
    """Refused before anything of it is parsed."""

    def __init__(self, limit: int) -> None:
        super().__init__("body_too_large", f"A request may have {limit} bytes.", 413)


class JSONParser(parsers.JSONParser):
    """As REST framework's, which itself limits neither the size of a body nor how deeply it is nested."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(limit)
        try:
            return super().parse(io.BytesIO(body), media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError("The JSON is nested too deeply.") from None
