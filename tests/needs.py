"""Skips a test when a tool is missing, unless OPENAGENT_REQUIRE_<TOOL> says that it must not be missing."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from openagent.lib import engine
from openagent.management import parts

_CHECKOUT = Path(__file__).resolve().parent.parent


def tool(name: str, found: str | Path | None) -> Path:
    """`found`, or the end of the test: skipped, or failed where CI promises that the tool is there."""
    return Path(found) if found else missing(name, f"{name} was not found")


def missing(name: str, reason: str) -> NoReturn:
    """The end of the test, for want of `name`."""
    if os.environ.get(f"OPENAGENT_REQUIRE_{name.upper()}"):
        pytest.fail(f"{reason}; it is required here", pytrace=False)
    pytest.skip(reason)


def bubblewrap() -> Path:
    return tool("bubblewrap", shutil.which("bwrap"))


def browser() -> Path:
    names = ("chromium-headless-shell", "chromium", "google-chrome")
    return tool("browser", next(filter(None, map(shutil.which, names)), None))


def node() -> Path:
    return tool("node", shutil.which("node"))


def redis() -> Path:
    return tool("redis", parts.find_redis())


def postgres() -> Path:
    """The folder of PostgreSQL's programs."""
    on_path = shutil.which("postgres")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    found = Path(on_path).resolve() if on_path else (installed[-1] if installed else None)
    return tool("postgres", found.parent if found else None)


def opencode() -> Path:
    packages = _CHECKOUT / "deploy" / "agents" / "node_modules"
    return tool("opencode", next(packages.glob("opencode-linux-*/bin/opencode"), None))


def docker() -> Path:
    """The socket of a container engine that answers."""
    settings = engine.current()
    with contextlib.suppress(OSError):
        settings.reach()
        return tool("docker", settings.socket)
    return tool("docker", None)


def compose() -> list[str]:
    """The command that runs deploy/compose.yml."""
    plugin = ["docker", "compose"]
    if shutil.which("docker") and not subprocess.run([*plugin, "version"], capture_output=True).returncode:
        return plugin
    return [str(tool("compose", shutil.which("docker-compose")))]


def agent(name: str) -> Path:
    """The packages of an agent beside OpenCode, which `make agents` installs."""
    folder = _CHECKOUT / "deploy" / "agents"
    wanted = [folder / name / "node_modules", folder / "node" / "node_modules"]
    return tool(name, wanted[0] if all(path.is_dir() for path in wanted) else None)
