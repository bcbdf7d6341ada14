"""Checks that this host can make instances of the process driver, and says what to install or change."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sessions_app.drivers import process_keeper, process_views
from sessions_app.drivers.base import DriverError
from sessions_app.drivers.limits import MEGABYTE
from sessions_app.drivers.process_views import View

# The first version whose sandboxes can be kept from making sandboxes of their own.
BUBBLEWRAP = (0, 8)
FREE_MB = 256
PROBE_SECONDS = 60
_SIDECAR_NEEDS = "import cryptography, httpx2, msgspec, sidecar, structlog, websockets"

# Settings of the kernel that forbid sandboxes: where, at which value, and what to do about it.
_FORBIDDING = (
    ("kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give bwrap an AppArmor profile",
    ),
)


def check_programs() -> None:
    """DriverError unless the programs that make views are there."""
    found = _bubblewrap_version()
    if found is None:
        raise _missing("bubblewrap")
    if found < BUBBLEWRAP:
        raise DriverError(
            f"bubblewrap {'.'.join(map(str, found))} is too old: 0.8 or newer is needed (Debian 12, Ubuntu "
            "24.04). Install a newer one, or use Docker.",
            code="bubblewrap_old",
            permanent=True,
        )
    for name in ("setpriv", "prlimit"):
        if shutil.which(process_views.program(name)) is None:
            raise _missing("util-linux")


def check_space(data: Path) -> None:
    """DriverError when so little is free that an instance might not even keep its journal."""
    if shutil.disk_usage(data).free < FREE_MB * MEGABYTE:
        raise DriverError(
            f"The disk of {data} is full: less than {FREE_MB} MB are free. Free some space, then start the "
            "session again.",
            code="disk_full",
            permanent=True,
        )


def check_agent(agents: Path, agent: str) -> None:
    """DriverError unless the agent's programs are laid out for boxes."""
    if not (agents / agent).is_dir():
        raise DriverError(
            f"The agent {agent} is not installed in {agents}. In the checkout, run: "
            f"make agents && deploy/agents/stage {agents}",
            code="agent_missing",
            permanent=True,
        )


def check_views(sidecar: View, box: View, environment: Mapping[str, str]) -> None:
    """Make both views once, with a harmless program. DriverError when this host does not let us."""
    if problem := _probe(box.plan("/bin/true"), environment):
        raise DriverError(_why_no_box(problem), code="sandbox_forbidden", permanent=True)
    python = sidecar.program[0]
    if problem := _probe(sidecar.plan(python, "-s", "-P", "-c", _SIDECAR_NEEDS), environment):
        raise DriverError(
            f"The sidecar cannot start in its view of this host: {problem} If its user cannot read Python's "
            "files, open them to all: chmod -R a+rX .venv",
            code="sidecar_cannot_start",
            permanent=True,
        )


def _bubblewrap_version() -> tuple[int, ...] | None:
    try:
        answer = subprocess.run(
            [process_views.program("bwrap"), "--version"],
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except OSError:
        return None
    found = re.search(r"(\d+)\.(\d+)", answer.stdout)
    return tuple(map(int, found.groups())) if found else None


def _probe(view: dict[str, Any], environment: Mapping[str, str]) -> str:
    """The last line that it said if it failed, otherwise nothing."""
    nobody = os.open(os.devnull, os.O_WRONLY)
    command, descriptors = process_keeper.open_view(view, nobody)
    try:
        answer = subprocess.run(
            command,
            env=dict(environment),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_SECONDS,
            pass_fds=descriptors,
            check=False,
        )
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    if answer.returncode == 0:
        return ""
    lines = answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"]
    return lines[-1][:300].rstrip(".") + "."


def _why_no_box(problem: str) -> str:
    for name, value, remedy in _FORBIDDING:
        path = Path("/proc/sys", name)
        if path.exists() and path.read_text().strip() == value:
            return f"This host does not allow sandboxes: {problem} As root, run: {remedy}"
    return (
        f"bubblewrap cannot make a sandbox here: {problem} Inside of a container it needs the right to make "
        "namespaces; outside of one, use Docker if the kernel cannot be changed."
    )


def _missing(package: str) -> DriverError:
    return DriverError(
        f"{package} is not installed, and boxes need it. Debian and Ubuntu: apt-get install {package}; "
        f"Fedora: dnf install {package}. Or install Docker.",
        code=f"{package.replace('-', '_')}_missing",
        permanent=True,
    )
