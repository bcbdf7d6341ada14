"""A real bash that tells where its commands begin and end."""

from __future__ import annotations

import os
import pty
import select
import shutil
import time

import pytest

from sidecar.box import shell_marks


def test_bash_marks_prompts_commands_and_how_they_ended() -> None:
    if not shutil.which("bash"):
        pytest.skip("bash was not found")
    pid, master = pty.fork()
    if pid == 0:
        os.execve(
            str(shutil.which("bash")), ["bash", "--norc", "--noprofile"], shell_marks.environment("/bin/bash")
        )
    shown = _read_until(master, b"\x1b]133;B\x07")
    assert b"\x1b]133;A\x07" in shown
    os.write(master, b"(exit 3)\n")
    shown = _read_until(master, b"\x1b]133;B\x07")
    assert shown.index(b"\x1b]133;C\x07") < shown.index(b"\x1b]133;D;3\x07") < shown.index(b"\x1b]133;A\x07")
    os.write(master, b"echo $?\n")
    assert b"\r\n3\r\n" in _read_until(master, b"\r\n3\r\n").replace(b"\x1b]133;C\x07", b"")
    os.write(master, b"cd /usr\n")
    # Where somebody can do everything, bash says so by its sign.
    _read_until(master, b"/usr# \x1b]133;B" if os.geteuid() == 0 else b"/usr$ \x1b]133;B")
    os.write(master, b"exit\n")
    os.waitpid(pid, 0)
    os.close(master)


def test_other_shells_are_left_alone() -> None:
    assert shell_marks.environment("/bin/dash") == {}
    assert shell_marks.environment("") == {}


def _read_until(master: int, wanted: bytes) -> bytes:
    shown = b""
    deadline = time.monotonic() + 20
    while wanted not in shown.replace(b"\x1b]133;C\x07", b"") and wanted not in shown:
        ready, _, _ = select.select([master], [], [], max(0, deadline - time.monotonic()))
        assert ready, shown
        shown += os.read(master, 4096)
    return shown
