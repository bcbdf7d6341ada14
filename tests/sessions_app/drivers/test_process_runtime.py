"""What runs inside of instances is copied once, completely, readable by all, and removed when unused."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sessions_app.drivers import files, process_runtime

SIDECAR = Path(__file__).resolve().parents[3] / "sidecar"


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    (tmp_path / "runtime").mkdir()
    (tmp_path / "instances").mkdir()
    return tmp_path / "runtime"


def test_a_copy_is_complete_and_readable_by_all(destination: Path) -> None:
    umask = os.umask(0o077)
    try:
        copy = process_runtime.stage(SIDECAR, destination)
    finally:
        os.umask(umask)
    for path in (copy, *copy.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path
    sources = {path.relative_to(SIDECAR) for path in SIDECAR.rglob("*.py")}
    assert sources == {path.relative_to(copy / "sidecar/sidecar") for path in copy.glob("sidecar/**/*.py")}
    assert (copy / "sidecar/sidecar/__pycache__").is_dir()
    assert "agent:x:1000:1000" in (copy / "etc/passwd").read_text()


def test_the_boxs_copy_runs_by_itself(destination: Path) -> None:
    copy = process_runtime.stage(SIDECAR, destination)
    names = {str(path.relative_to(copy / "box")) for path in (copy / "box").rglob("*.py")}
    assert names == {"__main__.py", "sidecar/__init__.py"} | {
        f"sidecar/box/{path.name}" for path in (SIDECAR / "box").glob("*.py")
    }
    code = "import runpy, sys; sys.argv = ['box']; runpy.run_path(sys.path.pop())"
    command = [sys.executable, "-I", "-S", "-c", code.replace("sys.path.pop()", repr(str(copy / "box")))]
    assert subprocess.run(command, check=False).returncode == 0


def test_the_same_content_is_copied_once_by_any_number(destination: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        copies = set(pool.map(lambda _: process_runtime.stage(SIDECAR, destination), range(4)))
    assert len(copies) == 1
    assert list(destination.iterdir()) == list(copies)


def test_other_content_is_another_copy(destination: Path, tmp_path: Path) -> None:
    package = tmp_path / "checkout" / "sidecar"
    (package / "box").mkdir(parents=True)
    for name in ("__init__.py", "box/__init__.py", "box/__main__.py"):
        (package / name).touch()
    first = process_runtime.stage(package, destination)
    (package / "__init__.py").write_text("changed = 1\n")
    assert process_runtime.stage(package, destination) != first
    (package / "__init__.py").write_text("")
    assert process_runtime.stage(package, destination) == first


def test_a_copy_that_fails_leaves_nothing(destination: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        process_runtime.stage(tmp_path / "absent", destination)
    assert list(destination.iterdir()) == []


def test_only_what_is_old_and_unused_is_removed(destination: Path) -> None:
    long_ago = time.time() - 2 * process_runtime.UNUSED_SECONDS
    for name in ("used", "unused", "fresh"):
        (destination / name).mkdir()
        if name != "fresh":
            os.utime(destination / name, (long_ago, long_ago))
    instance = destination.parent / "instances" / "one"
    instance.mkdir()
    files.write_json(instance / "plan.json", {"runtime": str(destination / "used")})
    process_runtime.prune(destination, destination.parent / "instances")
    assert {path.name for path in destination.iterdir()} == {"used", "fresh"}
