"""What running terminals show is on the disk soon after, for a successor."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest

from sidecar.terminals import keeping, safeguard
from tests.fakes.living import living
from tests.sidecar.terminals.test_terminals import LIMITS, opened, shows, until


async def test_after_a_crash_the_successor_delivers_what_was_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safeguard, "SECONDS", 0.05)
    async with living(tmp_path, limits=LIMITS) as made:
        await made.ready()
        terminal = await opened(made)
        viewer = made.station.watch(terminal)
        viewer.types(0, b"echo re''member\n")
        await shows(made, viewer, b"remember")
        file = made.journal / f"{terminal}.terminal"
        while not (file.exists() and b"remember\r\n" in file.read_bytes()):
            await asyncio.sleep(0.02)
        await made.sidecar.kill()
        successor = await made.next_generation()
        await made.ready()
        await until(successor, lambda: terminal in successor.saved)
        assert b"remember" in b"".join(successor.saved[terminal].values())
        while file.exists():
            await asyncio.sleep(0.02)


async def test_what_a_full_disk_did_not_take_is_written_when_it_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, is_full, write = 0, True, keeping.Remains.write

    def try_to_write(remains: keeping.Remains, folder: Path) -> None:
        nonlocal refused
        if is_full:
            refused += 1
            raise OSError(errno.ENOSPC, "full")
        write(remains, folder)

    monkeypatch.setattr(keeping.Remains, "write", try_to_write)
    monkeypatch.setattr(safeguard, "SECONDS", 0.02)
    async with living(tmp_path, limits=LIMITS) as made:
        await made.ready()
        terminal = await opened(made)
        viewer = made.station.watch(terminal)
        viewer.types(0, b"echo re''member\n")
        await shows(made, viewer, b"remember\r\n")
        before, file = refused, made.journal / f"{terminal}.terminal"
        async with asyncio.timeout(20):
            # Again and again, and not only because the shell printed one thing more.
            while refused < before + 3:
                await asyncio.sleep(0.01)
            is_full = False
            while not (file.exists() and b"remember\r\n" in file.read_bytes()):
                await asyncio.sleep(0.01)
