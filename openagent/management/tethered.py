"""Runs a program that ends with its parent: `python tethered.py [--remove FILE] PROGRAM ...`.

Without it, a supervisor that is killed would leave its parts running, holding the port and the sockets.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def end_with_parent() -> None:
    """Asks the kernel to terminate this process when its parent ends; survives exec."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def adopt_orphans() -> None:
    """Makes this process the parent of every descendant whose own parent ends."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


def main(arguments: list[str]) -> None:
    parent = os.getppid()
    end_with_parent()
    if os.getppid() != parent:
        sys.exit("The parent ended before this program began.")
    if arguments[0] == "--remove":
        # What a predecessor that was killed left behind, such as its socket.
        Path(arguments[1]).unlink(missing_ok=True)
        arguments = arguments[2:]
    os.execvp(arguments[0], arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
