"""A disk that fills up and fails, for the journal."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

from sidecar import journal


@dataclass
class BadDisk:
    """A disk with `room` bytes left, which takes what fits of a write; syncing fails as often as told."""

    directory: Path
    room: int = 1 << 40
    failing_syncs: int = 0
    synced: list[int] = field(default_factory=list)
    _allocated: int = 0

    def disk(self) -> journal.Disk:
        return journal.Disk(write=self.write, sync=self.sync, allocate=self.allocate)

    def write(self, file: int, raw: bytes) -> int:
        self._free()
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = os.write(file, raw[: self.room])
        self.room -= done
        return done

    def allocate(self, file: int, offset: int, length: int) -> None:
        self._free()
        if length > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.posix_fallocate(file, offset, length)
        self.room -= length
        self._allocated = length

    def _free(self) -> None:
        """What was allocated is free again once its file is gone."""
        if self._allocated and not (self.directory / journal.RESERVE_NAME).exists():
            self.room += self._allocated
            self._allocated = 0

    def sync(self, file: int) -> None:
        if self.failing_syncs:
            self.failing_syncs -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.synced.append(file)


NO_SYNC = journal.Disk(sync=lambda _file: None)
"""A disk for a hundred journals in one process: what it holds need not survive the machine."""
