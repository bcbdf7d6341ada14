"""All terminals of a session: opens and closes them, and serves their viewers in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from sidecar import log
from sidecar.agents.base import AgentError, Screen
from sidecar.config import Limits
from sidecar.dispatch import Refusal
from sidecar.protocol import frames, messages, terminals
from sidecar.protocol.terminals import Reason
from sidecar.terminals import reading
from sidecar.terminals.keeping import Keeper
from sidecar.terminals.pty import Pty
from sidecar.terminals.safeguard import Safeguard, remains_of
from sidecar.terminals.terminal import Crowded, Terminal
from sidecar.terminals.work import Work

FINISH_SECONDS = 2.5

_log = log.get(__name__)

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
Emit = Callable[[str, messages.Data], None]


class Box(Protocol):
    """What terminals need of `sidecar.box_server.BoxServer`; BoxError when the box refuses or is gone."""

    async def pty(self, argv: Sequence[str], /, *, env: Mapping[str, str], rows: int, cols: int) -> Pty: ...


class Terminals:
    """The terminals of one session. They open once `begin` was called; `ready` is set when there is something
    to send, which `next_message` gives."""

    def __init__(
        self,
        box: Box,
        folder: Path,
        *,
        session: str,
        limits: Limits,
        ready: asyncio.Event,
        spawn: Spawn,
        screen: Callable[[], Awaitable[Screen]],
    ) -> None:
        self.kept = Keeper(folder, self._say)
        self._box = box
        self._session = session
        self._limits = limits
        self._ready = ready
        self._spawn = spawn
        self._screen = screen
        self._terminals: dict[str, Terminal] = {}
        self._known: set[str] = set()
        self._of_viewer: dict[int, Terminal] = {}
        self._changed: dict[Terminal, None] = {}
        self._urgent: list[terminals.Up] = []
        self._work = Work()
        self._begun = asyncio.Event()
        self._emit: Emit = _nobody
        self._playing: set[asyncio.Task[None]] = set()

    # --- their life -----------------------------------------------------------------------------------

    def begin(self, emit: Emit) -> None:
        """The box is there and events can be written: what was ordered opens, what was left is delivered."""
        self._emit = emit
        self._begun.set()
        self._spawn(Safeguard(self.kept, self._terminals).watch())

    @property
    def shows_agent(self) -> bool:
        """Whether the agent's own interface is in one of them."""
        shown = (each for each in self._terminals.values() if each.ended is None)
        return any(isinstance(each.order, frames.TerminalOpenAgent) for each in shown)

    async def open(self, order: terminals.TerminalOpen) -> None:
        """Open a terminal once the session has begun. Refusal when there are too many."""
        if order.terminal in self._known:
            return
        if not terminals.is_size(order.rows, order.cols):
            raise Refusal("malformed")
        if sum(terminal.ended is None for terminal in self._terminals.values()) >= self._limits.terminals:
            raise Refusal("too_many_terminals")
        self._known.add(order.terminal)
        terminal = Terminal(
            order,
            ring_bytes=self._limits.terminal_bytes,
            hold_seconds=self._limits.terminal_hold_seconds,
            on_change=lambda: self._note(terminal),
            on_output=lambda now: self._printed(terminal, now),
        )
        self._terminals[order.terminal] = terminal
        task = self._spawn(self._live(terminal))
        self._playing.add(task)
        task.add_done_callback(self._playing.discard)

    async def close(self, order: terminals.TerminalClose) -> None:
        """Hang a terminal up; one that has ended, or never was, is closed already."""
        if terminal := self._terminals.get(order.terminal):
            terminal.close("closed")

    async def resize(self, order: terminals.TerminalResize) -> None:
        """The size of a terminal for as long as no viewer has said one."""
        if not terminals.is_size(order.rows, order.cols):
            raise Refusal("malformed")
        if terminal := self._terminals.get(order.terminal):
            terminal.want_size(order.rows, order.cols)

    async def finish(self, reason: Reason) -> None:
        """Hang all of them up and put on the disk what the platform has not stored; takes a few seconds."""
        for terminal in self._terminals.values():
            terminal.close(reason)
        if self._playing:
            seconds = FINISH_SECONDS if self._begun.is_set() else 0
            _, late = await asyncio.wait(self._playing, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for terminal in list(self._terminals.values()):
            if terminal.ended is None:
                self._over(terminal, reason)
        await self.kept.write()

    async def _live(self, terminal: Terminal) -> None:
        await self._begun.wait()
        order = terminal.order
        if terminal.closing is None:
            try:
                rows, cols = terminal.sizes.now
                env = {"OPENAGENT_SESSION": self._session, "OPENAGENT_TERMINAL": order.terminal}
                program = await self._program(order)
                pty = await self._box.pty(program.argv, env={**program.env, **env}, rows=rows, cols=cols)
            except (AgentError, OSError, ValueError) as error:
                terminal.end("failed", message=str(error))
            else:
                self._emit("terminal.opened", _opened(order))
                await terminal.play(pty)
        self._over(terminal, terminal.closing or "lost")

    async def _program(self, order: terminals.TerminalOpen) -> Screen:
        if isinstance(order, frames.TerminalOpenAgent):
            return await self._screen()
        return Screen(argv=order.command, env={})

    def _over(self, terminal: Terminal, reason: Reason) -> None:
        """It has ended: the log says so, and its ring is handed over."""
        terminal.end(reason)
        ended = terminal.ended
        if ended is None or not self._begun.is_set():
            return
        data = messages.TerminalClosed(
            terminal_id=terminal.order.terminal,
            reason=ended.reason,
            exit_code=ended.exit_code,
            message=ended.message,
        )
        self._emit("terminal.closed", data)
        self.kept.keep(remains_of(terminal))

    # --- the link ---------------------------------------------------------------------------------------

    def link_up(self) -> None:
        """There is a new connection, on which nobody watches yet."""
        self._urgent.clear()
        self.kept.repeat()

    def link_lost(self) -> None:
        """All viewers are gone, and what waited for them."""
        for number, terminal in self._of_viewer.items():
            terminal.unwatch(number)
        self._of_viewer.clear()
        self._urgent.clear()

    def receive(self, frame: frames.Frame) -> None:
        """A frame about terminals."""
        now = asyncio.get_running_loop().time()
        match frame:
            case terminals.TerminalWatch():
                self._watch(frame, now)
            case terminals.TerminalUnwatch():
                if terminal := self._of_viewer.pop(frame.viewer, None):
                    terminal.unwatch(frame.viewer)
            case terminals.TerminalAck():
                if terminal := self._of_viewer.get(frame.viewer):
                    terminal.acknowledge(frame.viewer, frame.offset, now)
            case terminals.TerminalSize():
                terminal = self._of_viewer.get(frame.viewer)
                if terminal and terminals.is_size(frame.rows, frame.cols):
                    terminal.resize(frame.viewer, frame.rows, frame.cols)
            case terminals.TerminalSavedAck():
                self._stored(frame)
            case _:
                raise frames.FrameError("a frame out of place")

    def receive_input(self, message: bytes) -> None:
        """A binary message: what somebody typed."""
        _, number, rest = terminals.unpack_link(message, terminals.INPUT)
        _, offset, data = terminals.unpack(rest)
        terminal = self._of_viewer.get(number)
        if terminal is None:
            return
        try:
            terminal.type(number, offset, data)
        except Crowded:
            self._dismiss(number, "slow_down")

    def next_message(self) -> bytes | frames.Frame | None:
        """What to send next: control first, then the terminals in turn."""
        if self._urgent:
            return self._urgent.pop(0)
        now = asyncio.get_running_loop().time()
        while self._changed:
            terminal = next(iter(self._changed))
            del self._changed[terminal]
            message = terminal.next_message(now)
            if message is not None:
                self._changed[terminal] = None
                return message
        return None

    def answer(self, query: frames.Query) -> frames.Answer:
        """The answer to `terminals.read`."""
        return reading.answer(query, self._terminals)

    def _watch(self, order: terminals.TerminalWatch, now: float) -> None:
        terminal = self._terminals.get(order.terminal)
        if terminal is None:
            self._say(terminals.TerminalTell(viewer=order.viewer, tell=terminals.Gone(why="unknown")))
            return
        try:
            terminal.watch(order, now)
        except Crowded:
            self._say(terminals.TerminalTell(viewer=order.viewer, tell=terminals.Gone(why="crowded")))
        else:
            self._of_viewer[order.viewer] = terminal

    def _dismiss(self, number: int, why: Any) -> None:
        if terminal := self._of_viewer.pop(number, None):
            terminal.unwatch(number)
            self._say(terminals.TerminalTell(viewer=number, tell=terminals.Gone(why=why)))

    def _stored(self, ack: terminals.TerminalSavedAck) -> None:
        if self.kept.stored(ack) and (terminal := self._terminals.pop(ack.terminal, None)):
            # Who has not seen the end yet sees it from what is stored.
            for number in list(terminal.audience.viewers):
                self._dismiss(number, "unknown")

    def _printed(self, terminal: Terminal, now: float) -> None:
        if self._work.printed(now=now, touched_at=terminal.touched_at):
            self._say(terminals.TerminalWork())

    def _say(self, frame: terminals.Up) -> None:
        self._urgent.append(frame)
        self._ready.set()

    def _note(self, terminal: Terminal) -> None:
        self._changed[terminal] = None
        self._ready.set()


def _opened(order: terminals.TerminalOpen) -> messages.TerminalOpened:
    return messages.TerminalOpened(
        terminal_id=order.terminal, title=order.title, command=order.command, by=order.by
    )


def _nobody(kind: str, data: messages.Data) -> None:
    raise RuntimeError("the session has not begun")
