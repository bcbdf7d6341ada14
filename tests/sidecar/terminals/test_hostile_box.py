"""A box program that lies about terminals costs its own terminal, and no memory of the sidecar."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest

from sidecar import config
from sidecar.box_server import Limits
from sidecar.protocol import messages, terminals
from sidecar.terminals import terminal as terminal_module
from sidecar.terminals.desk import Terminals
from sidecar.terminals.flow import AHEAD_BYTES
from tests.fakes.hostile_box import Control, HostileBox, hostile_box
from tests.fakes.scripted import ScriptedAgent

# So long that a busy machine answers in time, and no longer: one test waits in vain.
QUICK = Limits(exec_seconds=2.0)
MEBIBYTE = 1024 * 1024


class Told:
    """The terminals of a session whose box lies, and what its log would say."""

    def __init__(self, box: Any, folder: Path) -> None:
        self.events: list[tuple[str, messages.Data]] = []
        self.happened = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        self.terminals = Terminals(
            box,
            folder,
            session="s",
            limits=config.Limits(),
            ready=asyncio.Event(),
            spawn=self._spawn,
            screen=ScriptedAgent().screen,
        )
        self.terminals.begin(self._emit)

    async def open(self) -> str:
        terminal = str(uuid.uuid4())
        await self.terminals.open(terminals.TerminalOpen(terminal=terminal, command=["sh"]))
        return terminal

    async def hears(self, kind: str) -> Any:
        """The data of the first event of this kind."""
        async with asyncio.timeout(20):
            while True:
                for said, data in self.events:
                    if said == kind:
                        return data
                self.happened.clear()
                await self.happened.wait()

    async def closed(self) -> Any:
        return await self.hears("terminal.closed")

    def _emit(self, kind: str, data: messages.Data) -> None:
        self.events.append((kind, data))
        self.happened.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        return task


@pytest.fixture
async def liar(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Told, HostileBox, Control]]:
    monkeypatch.setattr(terminal_module, "HANG_UP_SECONDS", 0.1)
    monkeypatch.setattr(terminal_module, "EXIT_SECONDS", 0.2)
    with tempfile.TemporaryDirectory(prefix="box-") as folder:
        async with hostile_box(Path(folder), limits=QUICK) as (server, box):
            control = await box.control()
            await server.connected(5)
            told = Told(server, Path(folder))
            yield told, box, control
            for task in told.tasks:
                task.cancel()
            await asyncio.gather(*told.tasks, return_exceptions=True)


async def ordered(control: Control, op: str) -> Any:
    while (order := await control.order())["op"] != op:
        continue
    return order


async def test_a_terminal_whose_bytes_never_come_fails(liar: tuple[Told, HostileBox, Control]) -> None:
    told, _, control = liar
    await told.open()
    await ordered(control, "pty")
    assert (await told.closed()).reason == "failed"


async def test_a_flood_is_held_back_at_the_window(liar: tuple[Told, HostileBox, Control]) -> None:
    told, box, control = liar
    terminal = await told.open()
    order = await ordered(control, "pty")
    _, writer = await box.greet(hello="stream", id=order["id"])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            for _ in range(64):
                writer.write(b"x" * MEBIBYTE)
                await writer.drain()
    assert told.terminals._terminals[terminal].ring.end <= AHEAD_BYTES + 2 * terminals.CHUNK_BYTES


async def test_one_that_ends_without_an_exit_code_is_closed_all_the_same(
    liar: tuple[Told, HostileBox, Control],
) -> None:
    told, box, control = liar
    await told.open()
    order = await ordered(control, "pty")
    _, writer = await box.greet(hello="stream", id=order["id"])
    writer.write(b"bye")
    writer.close()
    closed = await told.closed()
    assert (closed.reason, closed.exit_code) == ("exited", None)


async def test_one_that_does_not_end_when_it_is_told_to_is_broken_off(
    liar: tuple[Told, HostileBox, Control],
) -> None:
    told, box, control = liar
    terminal = await told.open()
    order = await ordered(control, "pty")
    reader, _ = await box.greet(hello="stream", id=order["id"])
    await told.terminals.close(terminals.TerminalClose(terminal=terminal))
    assert (await told.closed()).reason == "closed"
    assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_a_box_that_goes_away_takes_its_terminals_along(
    liar: tuple[Told, HostileBox, Control],
) -> None:
    told, box, control = liar
    await told.open()
    order = await ordered(control, "pty")
    _, writer = await box.greet(hello="stream", id=order["id"])
    writer.write(b"last words")
    await told.hears("terminal.opened")
    control.writer.transport.abort()
    assert (await told.closed()).reason == "lost"
