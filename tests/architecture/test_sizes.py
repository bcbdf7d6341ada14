"""Files and functions stay small enough to be read at once, and every module says what it is for."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture import sources

MOST_LINES = 300
MOST_FUNCTION_LINES = 40

# What is longer on purpose, with the reason. Nothing gets in here to silence the test.
LONG_FILES: dict[str, str] = {
    "openagent/settings.py": "one file for all settings, each with its reason (ADR 5)",
    "sidecar/protocol/messages.py": "one catalogue: every kind of event and its data, side by side",
}
LONG_FUNCTIONS: dict[str, str] = {}


def test_no_file_is_long() -> None:
    paths = [*sources.files(sources.EVERYTHING, ".py"), *sources.files(("frontend/src",), ".ts", ".tsx")]
    lengths = {str(path): len(sources.text(path).splitlines()) for path in paths if not _is_generated(path)}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES}.keys() <= LONG_FILES.keys()


def test_no_function_is_long() -> None:
    long = {}
    for path in sources.files(sources.EVERYTHING, ".py"):
        for node in ast.walk(sources.parsed(path)):
            if (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                and _lines(node) > MOST_FUNCTION_LINES
            ):
                long[f"{path}:{node.name}"] = _lines(node)
    assert long.keys() <= LONG_FUNCTIONS.keys()


def test_every_module_says_what_it_is_responsible_for() -> None:
    silent = [
        str(path)
        for path in sources.files(sources.EVERYTHING, ".py")
        if sources.text(path).strip() and not ast.get_docstring(sources.parsed(path))
    ]
    assert silent == []


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Of its body, without the docstring: explaining more must not count against it."""
    body = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def _is_generated(path: Path) -> bool:
    return path.name == "schema.ts" or ".gen." in path.name
