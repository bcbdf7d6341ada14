"""Reads request bodies: JSON of a limited depth that is text throughout. Their size is Django's to limit."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework import exceptions, parsers

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class JSONParser(parsers.JSONParser):
    """As REST framework's, which by itself fails on deep nesting and lets lone surrogates through."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read()
        stream.seek(0)
        try:
            value = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError("The JSON is nested too deeply.") from None
        if _SURROGATE.search(body):
            _check_text(value)
        return value


def _check_text(value: Any) -> None:
    """Half of a character pair is no text: it can be neither stored nor shown, nor quoted in an error."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise exceptions.ParseError("A text holds half of a character pair.") from None
