"""What remains of closed terminals until the platform has stored it, across a restart on the session's disk.

A file is one line of JSON and then the bytes. It lies beside the journal, where the box cannot reach.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from sidecar import log
from sidecar.protocol import terminals

SUFFIX = ".terminal"
MOST_FILES = 64

_log = log.get(__name__)


class _Head(msgspec.Struct, kw_only=True):
    start: int
    sizes: list[tuple[int, int, int]]
    times: list[tuple[int, int]]


class Remains:
    """The ring of one closed terminal. `piece` is what to send until `acknowledge` says that it is stored."""

    def __init__(
        self,
        terminal: str,
        *,
        start: int,
        data: bytes,
        sizes: list[tuple[int, int, int]],
        times: list[tuple[int, int]],
    ) -> None:
        self.terminal = terminal
        self._head = _Head(start=start, sizes=sizes, times=times)
        self._data = data
        self._stored = start
        self._is_empty = not data

    @property
    def is_stored(self) -> bool:
        """Whether the platform has all of it."""
        return not self._is_empty and self._stored >= self._head.start + len(self._data)

    def piece(self) -> terminals.TerminalSaved:
        """The next bytes that are not stored."""
        at = self._stored - self._head.start
        return terminals.TerminalSaved(
            terminal=self.terminal,
            start=self._head.start,
            end=self._head.start + len(self._data),
            offset=self._stored,
            data=self._data[at : at + terminals.SAVED_BYTES],
            sizes=self._head.sizes if at == 0 else [],
            times=self._head.times if at == 0 else [],
        )

    def acknowledge(self, offset: int) -> None:
        """The platform has stored what is before `offset`."""
        self._is_empty = False
        self._stored = max(self._stored, min(offset, self._head.start + len(self._data)))

    def write(self, folder: Path) -> None:
        """Put it beside the journal. OSError when the disk does not take it."""
        temporary = folder / f"{self.terminal}{SUFFIX}.new"
        try:
            temporary.write_bytes(msgspec.json.encode(self._head) + b"\n" + self._data)
            temporary.rename(folder / f"{self.terminal}{SUFFIX}")
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


class Keeper:
    """The remains of all closed terminals; `say` sends a piece, if there is a link to send it on."""

    def __init__(self, folder: Path, say: Callable[[terminals.TerminalSaved], None]) -> None:
        self._folder = folder
        self._say = say
        self._remains: dict[str, Remains] = {}
        self._is_settled = asyncio.Event()
        self._is_settled.set()
        self._disk = threading.Lock()

    async def settled(self) -> None:
        """Return when the platform has stored everything."""
        await self._is_settled.wait()

    def recover(self) -> None:
        """Take over what an earlier instance could not deliver; what cannot be read is left out."""
        for unfinished in self._folder.glob(f"*{SUFFIX}.new"):
            unfinished.unlink()
        paths = sorted(self._folder.glob(f"*{SUFFIX}"))
        for path in paths[:MOST_FILES]:
            if remains := _read(path):
                self.keep(remains)

    def keep(self, remains: Remains) -> None:
        """Hand this over to the platform."""
        self._remains[remains.terminal] = remains
        self._is_settled.clear()
        self._say(remains.piece())

    def repeat(self) -> None:
        """On a new connection: everything that is not acknowledged again."""
        for remains in self._remains.values():
            self._say(remains.piece())

    def stored(self, ack: terminals.TerminalSavedAck) -> bool:
        """The platform has stored a piece; whether that was the last one of this terminal."""
        remains = self._remains.get(ack.terminal)
        if remains is None:
            return False
        remains.acknowledge(ack.offset)
        if not remains.is_stored:
            self._say(remains.piece())
            return False
        del self._remains[ack.terminal]
        self._forget(ack.terminal)
        if not self._remains:
            self._is_settled.set()
        return True

    async def write(self) -> None:
        """Put on the disk what is not stored."""
        await self.safeguard(list(self._remains.values()), is_wanted=self._remains.__contains__)

    async def safeguard(
        self, unstored: Sequence[Remains], *, is_wanted: Callable[[str], bool]
    ) -> frozenset[str]:
        """Put these on the disk, where only a successor looks; not what was stored while it was written.

        The terminals of which the disk took it.
        """
        taken = await asyncio.to_thread(self._write, unstored)
        for remains in unstored:
            if not is_wanted(remains.terminal):
                self._forget(remains.terminal)
        return taken

    def _forget(self, terminal: str) -> None:
        try:
            (self._folder / f"{terminal}{SUFFIX}").unlink(missing_ok=True)
        except OSError as error:
            _log.warning("a stored terminal stays on the disk", reason=str(error))

    def _write(self, remains: Sequence[Remains]) -> frozenset[str]:
        taken = set()
        with self._disk:
            for each in remains:
                try:
                    each.write(self._folder)
                    taken.add(each.terminal)
                except OSError as error:
                    _log.warning("the disk does not take a terminal's last output", reason=str(error))
        return frozenset(taken)


def _read(path: Path) -> Remains | None:
    try:
        terminal = str(uuid.UUID(path.name.removesuffix(SUFFIX)))
        line, _, data = path.read_bytes().partition(b"\n")
        head = msgspec.json.decode(line, type=_Head)
    except (OSError, ValueError, msgspec.DecodeError) as error:
        _log.warning("a saved terminal cannot be read", file=path.name[:60], reason=type(error).__name__)
        return None
    return Remains(terminal, start=head.start, data=data, sizes=head.sizes, times=head.times)
