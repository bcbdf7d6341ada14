"""What folders that a box fills take of their disk: counted outside of it, in bounded time and memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

SECONDS = 20
"""How long counting one disk may take: millions of files must not hold up whoever makes instances."""
MEMORY_MB = 128
"""How much memory it may take: `du` remembers each file that has several names."""

_SUM, _IN_PART = 0, 1
_MOST_COMPLAINTS = 64 * 1024
_VANISHED = ": No such file or directory"


def command(*folders: str) -> list[str]:
    """Counts blocks, so a file with holes is no larger than it is; goes through no link, to no other mount.

    Not in Python: a hostile disk may be deeper than its recursion. It wants to be run with `LC_ALL=C`.
    """
    return ["du", "--summarize", "--total", "--one-file-system", "--block-size=1", "--", *folders]


def of(folder: Path, *, seconds: float = SECONDS, memory_mb: int = MEMORY_MB) -> int | None:
    """Bytes on the disk; None when that cannot be told: not there, not readable, or not within bounds."""
    if not folder.is_dir():
        return None
    bounds = [f"--fsize={_MOST_COMPLAINTS}", f"--as={memory_mb * 2**20}"]
    with tempfile.TemporaryFile() as complaints:
        try:
            done = subprocess.run(
                ["prlimit", *bounds, "--", *command(str(folder))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        complaints.seek(0)
        return told(done.returncode, done.stdout, complaints.read())


def told(code: int, output: bytes, complaints: bytes) -> int | None:
    """The sum, unless there is something that could not be looked at; what vanished meanwhile is not there.

    Names in complaints are quoted, line ends too, so each line ends with a reason of the system's.
    """
    lines = complaints.decode(errors="replace").splitlines()
    if code not in (_SUM, _IN_PART) or not all(line.endswith(_VANISHED) for line in lines):
        return None
    last = output.splitlines()[-1:] or [b""]
    number = last[0].partition(b"\t")[0]
    return int(number) if number.isdigit() else None
