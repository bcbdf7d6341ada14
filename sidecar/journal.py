"""The journal: every event of this generation stands on the disk before it is sent, until it is acknowledged.

Writing goes to the page cache at once, which survives the death of this process; `fdatasync`, which survives
the death of the machine, runs in a thread, soon after each write and before `sync` returns. Segments whose
events are all acknowledged are removed: neither the disk used nor the work per event grows with the session.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar import segments

SEGMENT_BYTES = 4 * 1024 * 1024
SYNC_SECONDS = 0.1
MARK_BYTES = 256 * 1024
"""An acknowledgement is noted after this much: at most so much is salvaged that the platform has already."""

RESERVE_BYTES = 256 * 1024
RESERVE_NAME = "reserve"


class JournalUnwritable(Exception):
    """The disk is full or broken: nothing of the last `append` was kept. It may be tried again."""


class JournalConflict(Exception):
    """The directory holds this generation or a later one already: two instances were given one volume."""


@dataclass(frozen=True)
class Disk:
    """The calls that a disk can fail; tests put worse ones in their place."""

    write: Callable[[int, bytes], int] = os.write
    sync: Callable[[int], None] = os.fdatasync
    allocate: Callable[[int, int, int], None] = os.posix_fallocate


@dataclass
class _Open:
    """A segment that is still needed: its path, and the number of the last event in it."""

    path: Path
    last: int


class Journal:
    """The journal of one generation. All methods but `sync` and `close` are quick and never wait."""

    def __init__(
        self, directory: Path, *, segment_bytes: int = SEGMENT_BYTES, disk: Disk | None = None
    ) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._disk = disk or Disk()
        self._owner: segments.Owner | None = None
        self._needed: deque[_Open] = deque()
        self._file = -1
        self._retired: list[int] = []
        self._index = 0
        self._size = 0
        self._last = 0
        self._mark = segments.Mark()
        self._unmarked = 0
        self._written = 0
        self._synced = 0
        self._syncing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.is_suspect = False
        """The disk failed to keep what it had taken: `rewrite` is needed."""

    def open(self, *, session: str, gen: int, instance: str, first: int) -> None:
        """Begin generation `gen`, whose events are numbered from `first` on.

        JournalConflict when that is not the newest generation here, JournalUnwritable when the disk refuses.
        """
        try:
            newest = max((name.gen for name in segments.names(self._directory)), default=0)
        except OSError as error:
            raise JournalUnwritable(error.strerror) from error
        if newest >= gen:
            raise JournalConflict(f"generation {newest} is journaled here, this one is {gen}")
        self._owner = segments.Owner(session=session, gen=gen, instance=instance)
        self._last = self._mark.stored = first - 1
        self._roll()
        self.restore_reserve()

    def append(self, events: Sequence[bytes]) -> None:
        """Write encoded events, the next ones by number. JournalUnwritable: none of them was written."""
        if self._size >= self._segment_bytes:
            self._roll()
        self._write(b"".join([segments.pack(event) for event in events]))
        self._last += len(events)
        self._needed[-1].last = self._last

    def acknowledge(self, stored: int, *, freed: int) -> None:
        """Events up to `stored` are on the platform; `freed` is the size of those that this adds."""
        self._mark.stored = stored
        self._unmarked += freed
        while len(self._needed) > 1 and self._needed[0].last <= stored:
            # A file that cannot be removed is only salvaged again, and then dropped as a repeat.
            with contextlib.suppress(OSError):
                self._needed.popleft().path.unlink()
        if self._unmarked >= MARK_BYTES:
            self._note_marks()

    def note_command(self, number: int) -> None:
        """Commands up to `number` are carried out."""
        self._mark.command = number
        self._note_marks()

    def rewrite(self, events: Sequence[bytes]) -> None:
        """Write everything that is not acknowledged again, in a new segment: the old ones cannot be trusted.

        After a failed `fdatasync` the kernel may have dropped pages, and says so only once.
        """
        self._last = self._mark.stored
        self._roll()
        self.append(events)
        self.is_suspect = False

    def use_reserve(self) -> None:
        """Give back the space that was kept for saying that the disk is full."""
        (self._directory / RESERVE_NAME).unlink(missing_ok=True)

    def restore_reserve(self) -> bool:
        """Keep that space again; whether the disk has it."""
        path = self._directory / RESERVE_NAME
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            file = os.open(path, flags, 0o600)
        except OSError:
            return False
        try:
            self._disk.allocate(file, 0, RESERVE_BYTES)
        except OSError:
            path.unlink(missing_ok=True)
            return False
        finally:
            os.close(file)
        return True

    async def sync(self) -> None:
        """Return when everything written so far is on the disk. JournalUnwritable when it cannot be."""
        target = self._written
        while self._synced < target:
            if self.is_suspect:
                raise JournalUnwritable("the disk lost what it had taken")
            await asyncio.shield(self._start_sync())

    async def close(self) -> None:
        """Note what is stored, reach the disk, and let go of the files."""
        if self._file < 0:
            return
        self._note_marks()
        if self._timer:
            self._timer.cancel()
        with contextlib.suppress(JournalUnwritable):
            await self.sync()
        if self._syncing:
            await self._syncing
        for file in (*self._retired, self._file):
            os.close(file)
        self._retired.clear()
        self._file = -1
        self.use_reserve()

    def _note_marks(self) -> None:
        """Write down what is stored and carried out, if the disk has room: salvage gets shorter by it."""
        with contextlib.suppress(JournalUnwritable):
            self._write(segments.pack_struct(self._mark))
            self._unmarked = 0

    def _roll(self) -> None:
        """Go on in a new segment; on failure everything stays as it was."""
        assert self._owner is not None
        path = self._directory / str(segments.Name(self._owner.gen, self._index + 1))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            file = os.open(path, flags, 0o600)
        except OSError as error:
            raise JournalUnwritable(error.strerror) from error
        previous = self._file, self._size
        self._file, self._size = file, 0
        try:
            self._write(segments.pack_struct(self._owner))
        except JournalUnwritable:
            self._file, self._size = previous
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        if previous[0] >= 0:
            self._retired.append(previous[0])
        self._index += 1
        self._needed.append(_Open(path, self._last))

    def _write(self, raw: bytes) -> None:
        done = 0
        try:
            while done < len(raw):
                done += self._disk.write(self._file, raw[done:])
        except OSError as error:
            self._forget_half_written()
            raise JournalUnwritable(error.strerror) from error
        self._size += len(raw)
        self._written += len(raw)
        if self._timer is None and self._syncing is None:
            self._timer = asyncio.get_running_loop().call_later(SYNC_SECONDS, self._on_timer)

    def _forget_half_written(self) -> None:
        """Half a record would hide whatever is written after it."""
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            self.is_suspect = True

    def _on_timer(self) -> None:
        self._timer = None
        if self._file >= 0:
            self._start_sync()

    def _start_sync(self) -> asyncio.Task[None]:
        if self._syncing is None:
            self._syncing = asyncio.create_task(self._sync_once())
        return self._syncing

    async def _sync_once(self) -> None:
        retired, file, written = self._retired, self._file, self._written
        self._retired = []
        try:
            await asyncio.to_thread(self._sync_files, [*retired, file])
            self._synced = written
        except OSError:
            self.is_suspect = True
        finally:
            for old in retired:
                os.close(old)
            self._syncing = None

    def _sync_files(self, files: Sequence[int]) -> None:
        for file in files:
            self._disk.sync(file)
        # A new segment's name is in the directory, which is a file of its own.
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
