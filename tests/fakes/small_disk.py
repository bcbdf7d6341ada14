"""A disk that is soon full, and that only root can have."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import needs


@contextmanager
def small_disk(folder: Path, *, size: str) -> Iterator[None]:
    """Until the block has ended, `folder` is on a disk of its own, of `size` as mount takes it."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=711", "small", str(folder)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        reason, _, _ = done.stderr.partition("\n")
        needs.missing("mount", f"no disk can be mounted: {reason}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
