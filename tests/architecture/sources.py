"""Finds the project's own source files for the tests of its rules."""

from __future__ import annotations

import ast
import functools
import os
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PLATFORM = ("openagent", "sessions_app", "keys_app")
PRODUCT = (*PLATFORM, "sidecar")
EVERYTHING = (*PRODUCT, "tests", "deploy")

_GENERATED = {"migrations", "node_modules", "dist", "__pycache__"}


def files(folders: tuple[str, ...], *endings: str) -> Iterator[Path]:
    """Files below these folders whose names end so, as paths from the checkout."""
    for folder in folders:
        for where, inner, names in os.walk(CHECKOUT / folder):
            inner[:] = sorted(set(inner) - _GENERATED)  # not even looked into: the agents are 20,000 files
            for name in sorted(names):
                if name.endswith(endings):
                    yield Path(where, name).relative_to(CHECKOUT)


def text(path: Path) -> str:
    return (CHECKOUT / path).read_text()


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
