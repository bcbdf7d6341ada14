"""Notices what a view looks at, so that a test can try just that, and what nobody looks at all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict

from openagent.lib.json_body import JSONParser

_LOOKING = ("__getitem__", "__contains__", "get", "getlist")


class _Body(dict[str, Any]):
    """An object that a client sent."""


def parameters(patch: pytest.MonkeyPatch) -> set[str]:
    """The names of all parameters of an address that something asks for from now on."""
    return _notice(patch, QueryDict)


def fields(patch: pytest.MonkeyPatch) -> set[str]:
    """The names of all fields of a body that something asks for from now on."""
    parse = JSONParser.parse

    def parsed(self: JSONParser, *args: Any, **options: Any) -> Any:
        body = parse(self, *args, **options)
        return _Body(body) if isinstance(body, dict) else body

    patch.setattr(JSONParser, "parse", parsed)
    return _notice(patch, _Body)


def _notice(patch: pytest.MonkeyPatch, kind: type) -> set[str]:
    names: set[str] = set()

    def noticing(look: Callable[..., Any]) -> Callable[..., Any]:
        def noticed(self: Any, name: str, *rest: Any) -> Any:
            if not getattr(self, "_mutable", False):  # else it is still being made
                names.add(name)
            return look(self, name, *rest)

        return noticed

    for way in _LOOKING:
        if look := getattr(kind, way, None):
            patch.setattr(kind, way, noticing(look))
    return names
