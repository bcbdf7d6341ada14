"""One terminal: reads its program as far as its viewers allow, types what they send, and ends once."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from sidecar import log
from sidecar.box_protocol import BoxError
from sidecar.protocol import terminals
from sidecar.protocol.terminals import CHUNK_BYTES, Reason
from sidecar.terminals.flow import Flow
from sidecar.terminals.pty import Pty
from sidecar.terminals.ring import Ring, Sizes, Times
from sidecar.terminals.typed import Typed
from sidecar.terminals.viewers import Audience, Viewer

HANG_UP_SECONDS = 2.0
EXIT_SECONDS = 5.0
QUEUED_INPUT_BYTES = 1024 * 1024

_log = log.get(__name__)


class Terminal:
    """`play` a program once it runs. Whatever may have to be sent is announced by `on_change`."""

    def __init__(
        self,
        order: terminals.TerminalOpen,
        *,
        ring_bytes: int,
        hold_seconds: float,
        on_change: Callable[[], None],
        on_output: Callable[[float], None],
    ) -> None:
        self.order = order
        ring_bytes = min(order.ring_bytes, ring_bytes)
        self.ring = Ring(ring_bytes)
        self.sizes = Sizes(order.rows, order.cols)
        self.times = Times() if order.record else None
        self.audience = Audience()
        self.ended: terminals.Ended | None = None
        self.closing: Reason | None = None
        self.touched_at = 0.0
        """When somebody last did anything in it, by the loop's clock."""
        self._flow = Flow(ring_bytes=ring_bytes, hold_seconds=hold_seconds)
        self._typed = Typed()
        self._wanted = (order.rows, order.cols)
        self._input: deque[tuple[str, int, bytes]] = deque()
        self._queued = 0
        self._has_input = asyncio.Event()
        self._has_moved = asyncio.Event()
        self._is_closing = asyncio.Event()
        self._pty: Pty | None = None
        self._on_change = on_change
        self._on_output = on_output

    # --- its program --------------------------------------------------------------------------------

    async def play(self, pty: Pty) -> None:
        """Read and type until the program has ended; `ended` says how."""
        self._pty = pty
        self._touch()
        pty.resize(*self.sizes.now)
        writing = asyncio.create_task(self._write(pty))
        hanging = asyncio.create_task(self._hang_up(pty))
        try:
            await self._read(pty)
            code = await self._exit_code(pty)
            self.end(self.closing or "exited", exit_code=code)
        except BoxError as error:
            self.end("lost", message=error.message)
        finally:
            for task in (writing, hanging):
                task.cancel()
            await asyncio.gather(writing, hanging, return_exceptions=True)
            await pty.close()
            self._pty = None

    def end(self, reason: Reason, *, exit_code: int | None = None, message: str = "") -> None:
        """There will be no more output. Only the first end counts."""
        if self.ended is None:
            self.ended = terminals.Ended(
                offset=self.ring.end, reason=reason, exit_code=exit_code, message=message
            )
            self._on_change()

    def close(self, reason: Reason) -> None:
        """Hang up: the program is told, then killed; its end is heard of as any other."""
        if self.closing is None:
            self.closing = reason
            self._has_moved.set()
            self._is_closing.set()

    async def _read(self, pty: Pty) -> None:
        loop = asyncio.get_running_loop()
        while True:
            size = CHUNK_BYTES
            if self.closing is None:
                now = loop.time()
                leave = self._flow.leave(end=self.ring.end, fastest=self.audience.fastest(now), now=now)
                if leave.room <= 0:
                    await self._moved(leave.seconds)
                    continue
                size = min(size, leave.room)
            try:
                data = await pty.stream.read(size)
            except ConnectionError:
                return
            if not data:
                return
            if self.times is not None:
                self.times.note(self.ring.end, round(loop.time() * 1000))
            self.ring.append(data)
            self._flow.read(len(data), loop.time())
            self._on_output(loop.time())
            self._on_change()

    async def _moved(self, seconds: float) -> None:
        """Wait until a viewer came, went or acknowledged, but not for longer."""
        self._has_moved.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._has_moved.wait()

    async def _write(self, pty: Pty) -> None:
        while True:
            await self._has_input.wait()
            self._has_input.clear()
            while self._input:
                client, end, data = self._input.popleft()
                try:
                    pty.stdin.write(data)
                    await pty.stdin.drain()
                except ConnectionError:
                    return  # The program has ended, which is heard of elsewhere.
                self._queued -= len(data)
                self._tell_taken(client, end)

    async def _hang_up(self, pty: Pty) -> None:
        """Once it is closing: ask, kill, and at last do without the program's word."""
        await self._is_closing.wait()
        for number in (signal.SIGHUP, signal.SIGKILL):
            await pty.kill(number)
            await asyncio.sleep(HANG_UP_SECONDS)
        await pty.close()

    async def _exit_code(self, pty: Pty) -> int | None:
        """The box tells it right after the last output; one that does not has no say in it."""
        try:
            async with asyncio.timeout(EXIT_SECONDS):
                return await pty.wait()
        except TimeoutError:
            return None

    # --- its viewers ----------------------------------------------------------------------------------

    def watch(self, order: terminals.TerminalWatch, now: float) -> None:
        """A viewer comes, at the place it names or where the ring begins."""
        if self.audience.is_full:
            raise Crowded
        self._touch()
        wanted = self.ring.start if order.offset is None else order.offset
        is_there = self.ring.start <= wanted <= self.ring.end
        place = wanted if is_there else self.ring.resume_point(self.ring.start)
        viewer = Viewer(
            number=order.viewer,
            client=order.client,
            name=order.name,
            sent=place,
            acknowledged=place,
            live_from=self.ring.end,
            progress_at=now,
            size=(order.rows, order.cols) if terminals.is_size(order.rows, order.cols) else None,
        )
        rows, cols = self.sizes.at(place)
        viewer.tell(
            terminals.Welcome(
                offset=place,
                reset=not is_there or order.offset is None,
                live_from=viewer.live_from,
                input=self._typed.expected(order.client),
                rows=rows,
                cols=cols,
                closed=self.ended is not None,
                recording=self.times is not None,
            )
        )
        self.audience.add(viewer, end=self.ring.end)
        if self._pty is not None and place > 0 and not (is_there and order.offset is not None):
            # What it gets may begin in the middle of a screen.
            self._pty.redraw()
        self._has_changed()

    def unwatch(self, viewer: int) -> None:
        """A viewer is gone."""
        self.audience.remove(viewer, end=self.ring.end)
        self._has_changed()

    def acknowledge(self, viewer: int, offset: int, now: float) -> None:
        """A viewer has parsed the output before `offset`."""
        self.audience.viewers[viewer].acknowledge(offset, now)
        self._has_moved.set()
        self._on_change()

    def resize(self, viewer: int, rows: int, cols: int) -> None:
        """A viewer says its size."""
        self._touch()
        self.audience.resize(viewer, rows, cols)
        self._has_changed()

    def want_size(self, rows: int, cols: int) -> None:
        """The size for as long as no viewer has said one."""
        self._wanted = (rows, cols)
        self._has_changed()

    def type(self, number: int, offset: int, data: bytes) -> None:
        """A viewer's input. Crowded when too much of it waits for the program: it is to be sent again."""
        viewer = self.audience.viewers[number]
        if self._queued > QUEUED_INPUT_BYTES:
            raise Crowded
        fresh = self._typed.accept(viewer.client, offset, data)
        end = self._typed.expected(viewer.client)
        if self.ended is not None or not fresh:
            self._tell_taken(viewer.client, end)
            return
        self._touch()
        self.audience.has_typed(number, end=self.ring.end)
        self._input.append((viewer.client, end, fresh))
        self._queued += len(fresh)
        self._has_input.set()

    def next_message(self, now: float) -> terminals.TerminalTell | bytes | None:
        """What to send next, to whichever viewer; those who are to be told something come first."""
        viewers = self.audience.viewers
        for viewer in sorted(viewers.values(), key=lambda viewer: not viewer.tells):
            message = viewer.next(self.ring, self.sizes, self.ended, now)
            if isinstance(message, terminals.Reset) and self._pty is not None:
                self._pty.redraw()
            if message is None:
                continue
            # The others are served before it is served again.
            viewers[viewer.number] = viewers.pop(viewer.number)
            if isinstance(message, bytes):
                return message
            return terminals.TerminalTell(viewer=viewer.number, tell=message)
        return None

    def _touch(self) -> None:
        self.touched_at = asyncio.get_running_loop().time()

    def _tell_taken(self, client: str, offset: int) -> None:
        for viewer in self.audience.viewers.values():
            if viewer.client == client:
                viewer.tell(terminals.Taken(offset=offset))
                self._on_change()

    def _has_changed(self) -> None:
        """Viewers came, went or changed: the size and the reading follow them."""
        self._fit()
        self._has_moved.set()
        self._on_change()

    def _fit(self) -> None:
        size = self.audience.smallest() or self._wanted
        if size == self.sizes.now or self.ended is not None:
            return
        self.sizes.change(self.ring.end, *size)
        for viewer in self.audience.viewers.values():
            if viewer.sent == self.ring.end:
                viewer.tell_size(self.sizes)
        if self._pty is not None:
            self._pty.resize(*size)


class Crowded(Exception):
    """There are too many viewers, or too much input waits."""
