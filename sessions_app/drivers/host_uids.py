"""Gives each volume two users of its own on this host: one for its box, one for its sidecar.

They are numbers from a range that belongs to nobody, kept in one file of the data directory, and stay with
the volume for its life. They begin at a random place, so that two installations on one host do not meet.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from sessions_app.drivers import files
from sessions_app.drivers.base import DriverError

# Above what systemd gives to containers, below what 32 bits with a sign can hold.
RANGE = range(1_900_000_000, 2_100_000_000)


@dataclass(frozen=True)
class HostUids:
    """The users of one volume; their groups have the same numbers."""

    box: int
    sidecar: int


@dataclass(frozen=True)
class _Book:
    """What the file says: where to look for the next numbers, and the pair of each volume."""

    next: int
    volumes: dict[str, tuple[int, int]]


class UidFile:
    """The file that remembers whose numbers are whose. Safe for any number of processes at once."""

    def __init__(self, path: Path, uids: range = RANGE) -> None:
        self._path = path
        self._uids = uids

    def of(self, volume: str) -> HostUids:
        """The users of a volume, given to it now if it has none."""
        with files.locked(self._path.with_suffix(".lock"), seconds=30):
            book = self._read()
            if volume not in book.volumes:
                pair = self._free(book)
                book = _Book(pair[1] + 1, {**book.volumes, volume: pair})
                self._write(book)
            return HostUids(*book.volumes[volume])

    def known(self, volume: str) -> HostUids | None:
        """The users of a volume, if it has any."""
        pair = self._read().volumes.get(volume)
        return HostUids(*pair) if pair else None

    def forget(self, volume: str) -> None:
        """The volume is gone; its numbers may be given to another, after all others."""
        with files.locked(self._path.with_suffix(".lock"), seconds=30):
            book = self._read()
            if book.volumes.pop(volume, None) is not None:
                self._write(book)

    def _write(self, book: _Book) -> None:
        files.write_json(self._path, {"next": book.next, "volumes": book.volumes})

    def _read(self) -> _Book:
        try:
            content = json.loads(self._path.read_bytes())
            volumes = {str(name): (int(box), int(other)) for name, (box, other) in content["volumes"].items()}
            return _Book(int(content["next"]), volumes)
        except FileNotFoundError:
            usable = self._usable()
            return _Book(usable[0] + 2 * secrets.randbelow(len(usable) // 2), {})
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            # Guessing would give one session's files to another.
            raise DriverError(
                f"{self._path} is damaged. Restore it from a backup: it says which user owns which volume.",
                code="uids_damaged",
                permanent=True,
            ) from error

    def _free(self, book: _Book) -> tuple[int, int]:
        """The next pair that nobody has. A number rests for long before it has another owner."""
        usable = self._usable()
        used = {uid for pair in book.volumes.values() for uid in pair}
        for step in range(0, len(usable), 2):
            box = usable[(book.next - usable[0] + step) % len(usable)]
            if box not in used and box + 1 not in used and box + 1 in usable:
                return box, box + 1
        raise DriverError("Every user number of the range is taken.", code="uids_used_up", permanent=True)

    def _usable(self) -> range:
        """The part of the range that exists here: inside of a container it may be small or none."""
        for line in Path("/proc/self/uid_map").read_text().splitlines():
            inside, _, count = map(int, line.split())
            first, last = max(inside, self._uids.start), min(inside + count, self._uids.stop)
            if last - first >= 2:
                return range(first, last)
        raise DriverError(
            f"This host has no user numbers from {self._uids.start} to {self._uids.stop}, so sessions cannot "
            "be kept apart. Set OPENAGENT_UIDS_FIRST and OPENAGENT_UIDS_COUNT to a range that belongs to "
            "nobody, or run OpenAgent as an ordinary user.",
            code="uids_unmapped",
            permanent=True,
        )
