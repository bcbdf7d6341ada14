"""Settings are read in one way and in one place, and every one of them is explained."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.architecture import sources

_READERS = {"text", "words", "flag", "number", "seconds", "path", "secret", "table", "numbers"}
# They name the settings module before any setting can be read.
_ENTRY_POINTS = {Path("openagent/asgi.py"), Path("openagent/celery.py")}
_READER = Path("openagent/lib/env.py")


def read_settings() -> set[str]:
    """Every name that the platform gives to a reader of openagent.lib.env."""
    names = set()
    for path in sources.files(sources.PLATFORM, ".py"):
        for node in ast.walk(sources.parsed(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"env.{name}" for name in _READERS}:
                names.add(str(ast.literal_eval(node.args[0])))
    return names


def documented_settings() -> set[str]:
    page = (sources.CHECKOUT / "docs" / "settings.md").read_text()
    return set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    assert documented_settings() == read_settings()


def test_settings_have_our_prefix_or_a_name_that_everybody_knows() -> None:
    assert {name for name in read_settings() if not name.startswith("OPENAGENT_")} == {
        "DATABASE_URL",
        "REDIS_URL",
    }


def test_nothing_else_of_the_platform_reads_the_environment() -> None:
    readers = {
        path
        for path in sources.files(sources.PLATFORM, ".py")
        for node in ast.walk(sources.parsed(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    }
    assert readers - _ENTRY_POINTS == {_READER}
