"""Rules about imports that import-linter cannot express; the others are in .importlinter."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from tests.architecture import sources


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(sources.parsed(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_the_program_in_the_box_needs_only_the_standard_library() -> None:
    """It runs in images that we did not build, with a Python that has nothing else."""
    for path in sources.files(("sidecar/box",), ".py"):
        for name in imported(path):
            own = name == "sidecar.box" or name.startswith("sidecar.box.")
            assert own or name.partition(".")[0] in sys.stdlib_module_names, f"{path} imports {name}"


def test_the_one_command_run_needs_no_django() -> None:
    """It makes what the settings need, so it cannot read them."""
    for path in sources.files(("openagent/management",), ".py"):
        if "commands" not in path.parts:
            assert not {name for name in imported(path) if name.partition(".")[0] == "django"}, path


def test_product_code_does_not_import_tests() -> None:
    for path in sources.files(sources.PRODUCT, ".py"):
        assert not {name for name in imported(path) if name.partition(".")[0] == "tests"}, path


def test_services_import_nothing_inside_functions() -> None:
    """Such imports hide cycles between layers."""
    for path in sources.files(("sessions_app/services",), ".py"):
        for function in ast.walk(sources.parsed(path)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
                assert not inner, f"{path}:{function.name}"
