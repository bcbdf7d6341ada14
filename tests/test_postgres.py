"""Runs the tests of rows, sockets and REST again, on a PostgreSQL server of their own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from openagent.lib.data_dir import CHECKOUT
from tests import needs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SUITES = ["tests/sessions_app", "tests/keys_app", "tests/openagent/accounts", "tests/matrix"]


@pytest.fixture
def server() -> Iterator[str]:
    """The address of an empty database; the server refuses to run as root, so it gets a user of its own."""
    programs = needs.postgres()
    folder = Path(tempfile.mkdtemp(prefix="oa-pg-"))
    demote: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        demote = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        command = [*demote, str(programs / program), "-D", str(data), *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    run("initdb", "--auth=trust", "--username=openagent", "--encoding=UTF8", "--locale=C.UTF-8")
    # No port: only the socket in our own folder. What is in it need not survive, so nothing is synced.
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "--wait", f"--options={options}", f"--log={folder / 'log'}", "start")
    try:
        yield f"postgres://openagent@/postgres?host={folder}"
    finally:
        run("pg_ctl", "--wait", "--mode=immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def test_everything_about_rows_holds_on_postgresql_too(server: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITES]
    done = subprocess.run(
        [*command, "-m", "not slow and not end_to_end"],
        cwd=CHECKOUT,
        env={**os.environ, "DATABASE_URL": server},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
