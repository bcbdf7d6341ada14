"""The description of the API: made without a warning, and the one that the frontend's types come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

KEPT = settings.BASE_DIR / "frontend/src/lib/api/schema.json"
COMMAND = f"python manage.py spectacular --format openapi-json --file {KEPT.relative_to(settings.BASE_DIR)}"


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Any:
    file: Path = tmp_path_factory.mktemp("schema") / "schema.json"
    call_command(
        "spectacular", "--fail-on-warn", "--validate", "--format", "openapi-json", "--file", str(file)
    )
    return json.loads(file.read_text())


def test_the_frontend_has_the_present_description(description: Any) -> None:
    kept = json.loads(KEPT.read_text())
    assert kept == description, f"the API has changed: run `{COMMAND}`, then `npm run types` in frontend/"


def test_every_operation_says_what_it_does(description: Any) -> None:
    for path, item in description["paths"].items():
        for method, operation in item.items():
            assert operation.get("description"), f"{method} {path}"


def test_every_error_is_a_problem_document(description: Any) -> None:
    for item in description["paths"].values():
        for operation in item.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
