"""The one connection to the platform: made by the sidecar, kept alive, and made again whenever it breaks.

It moves frames and knows when they may move; what they mean is its peer's business. Whatever a broken
connection lost is healed at the next welcome, because both ends say there what they hold.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from sidecar import log
from sidecar.protocol import frames, stream

PATH = "/ws/link/"
HELLO_SECONDS = 10.0
SEND_BUFFER_BYTES = 64 * 1024
FLAPPING_TRIES = 2

_log = log.get(__name__)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When a connection counts as dead, and how soon the next one is tried.

    The wait before a try is between half and all of `first_retry` * `growth` ** tries, up to `last_retry`:
    many sidecars that lost the same platform come back at different moments, each within `last_retry`.
    """

    ping: float = 10.0
    dead: float = 25.0
    first_retry: float = 0.2
    growth: float = 1.6
    last_retry: float = 4.0
    settled: float = 5.0

    def retry_in(self, tries: int) -> float:
        """Seconds to wait after `tries` connections in a row that did not last for `settled` seconds."""
        longest = min(self.first_retry * self.growth ** min(tries, 50), self.last_retry)
        return longest * random.uniform(0.5, 1.0)


class Peer(Protocol):
    """What a link is for."""

    def hello(self) -> frames.Hello:
        """The first frame of a new connection."""

    def opening(self, welcome: frames.Welcome) -> Iterable[frames.Frame | bytes]:
        """A connection is there: what to send before all else. StreamError when the two ends do not fit."""

    def receive(self, frame: frames.Down) -> None:
        """A frame arrived. stream.Gap when the connection lost one before it."""

    def receive_bytes(self, message: bytes) -> None:
        """A binary message arrived. frames.FrameError when it makes no sense."""

    def link_lost(self) -> None:
        """The connection is gone; another one is being tried."""


class Link:
    """`run` keeps connecting until the platform refuses for good, or `leave` is called."""

    def __init__(self, peer: Peer, *, unix: str = "", url: str = "", timing: Timing | None = None) -> None:
        self.ready = asyncio.Event()
        """Set while there may be something to send; whoever has something sets it."""
        self.source: Callable[[], bytes | None] = lambda: None
        """Gives the next events to send as a text message, or None."""
        self.bulk: Callable[[], frames.Frame | bytes | None] = lambda: None
        """Gives the next frame or binary message to send in turn with the events, or None."""
        self.up = asyncio.Event()
        """Set while the platform has welcomed this connection; `down` is set while not."""
        self.down = asyncio.Event()
        self.down.set()
        self._peer = peer
        self._unix = unix
        self._url = url
        self._timing = timing or Timing()
        self._frames: deque[bytes] = deque()
        self._connection: ClientConnection | None = None
        self._is_leaving = False
        self._was_up = False
        self._heard_at = 0.0

    def send(self, frame: frames.Frame | bytes) -> None:
        """Send a frame before waiting events. Without a connection it is dropped: `opening` says it again."""
        if self.up.is_set():
            self._frames.append(frame if isinstance(frame, bytes) else frames.encode(frame).encode())
            self.ready.set()

    async def run(self) -> frames.Refused | None:
        """Connect again and again; the platform's final refusal, or None after `leave`.

        StreamError when the platform lost what it had acknowledged: nothing heals that.
        """
        loop = asyncio.get_running_loop()
        tries = 0
        while not self._is_leaving:
            started_at = loop.time()
            self._was_up = False
            try:
                refused = await self._connect()
                if refused is not None and refused.final:
                    return refused
            except stream.Gap:
                _log.warning("the link lost a frame, connecting again")
            except (OSError, WebSocketException, TimeoutError, frames.FrameError) as error:
                # Once for each outage, not for each try.
                say = _log.debug if tries else _log.info
                say("link is down", reason=f"{type(error).__name__}: {error}"[:300])
            lasted = loop.time() - started_at >= self._timing.settled
            # A platform that answered is there: a line that breaks again and again is joined again quickly.
            tries = 0 if lasted else min(tries, FLAPPING_TRIES) + 1 if self._was_up else tries + 1
            if not self._is_leaving:
                await asyncio.sleep(self._timing.retry_in(tries))
        return None

    async def leave(self, reason: str, *, seconds: float) -> None:
        """Say goodbye after everything that was given to `send`, and let the platform close."""
        self._is_leaving = True
        connection = self._connection
        if connection is None or not self.up.is_set():
            return
        self.send(frames.Goodbye(reason=reason))
        try:
            async with asyncio.timeout(seconds):
                await connection.wait_closed()
        except TimeoutError:
            connection.transport.abort()

    async def _connect(self) -> frames.Refused | None:
        """One connection, from its beginning to its end."""
        async with self._dial() as connection:
            self._connection = connection
            try:
                await connection.send(frames.encode(self._peer.hello()))
                async with asyncio.timeout(HELLO_SECONDS):
                    welcome = await self._receive(connection)
                if isinstance(welcome, frames.Refused):
                    return self._refused(welcome)
                if not isinstance(welcome, frames.Welcome) or welcome.version not in frames.PROTOCOL_VERSIONS:
                    raise frames.FrameError("expected a welcome")
                return await self._converse(connection, welcome)
            finally:
                self._connection = None

    def _dial(self) -> connect:
        options: dict[str, Any] = {
            "compression": None,
            "max_size": frames.MAX_FRAME_BYTES,
            "write_limit": SEND_BUFFER_BYTES,
            "close_timeout": 2.0,
            # Its own keep-alive waits for ever when a ping cannot be written.
            "ping_interval": None,
        }
        if self._unix:
            return unix_connect(self._unix, f"ws://localhost{PATH}", **options)
        return connect(self._url, **options)

    async def _converse(self, connection: ClientConnection, welcome: frames.Welcome) -> frames.Refused | None:
        self._frames.clear()
        opening = self._peer.opening(welcome)
        self.down.clear()
        self.up.set()
        self._was_up = True
        _log.info("link is up", platform_version=welcome.platform_version, stored_seq=welcome.stored_seq)
        for frame in opening:
            self.send(frame)
        self.ready.set()
        try:
            return await _first_of(
                self._read(connection), self._write(connection), self._keep_alive(connection)
            )
        finally:
            self.up.clear()
            self.down.set()
            self._peer.link_lost()

    async def _read(self, connection: ClientConnection) -> frames.Refused | None:
        while True:
            raw = await self._hear(connection)
            if isinstance(raw, bytes):
                self._peer.receive_bytes(raw)
                continue
            frame = frames.decode_down(raw)
            if isinstance(frame, frames.Refused):
                return self._refused(frame)
            self._peer.receive(frame)

    async def _receive(self, connection: ClientConnection) -> frames.Down:
        return frames.decode_down(await self._hear(connection))

    async def _hear(self, connection: ClientConnection) -> str | bytes:
        raw = await connection.recv()
        self._heard_at = asyncio.get_running_loop().time()
        return raw

    def _refused(self, frame: frames.Refused) -> frames.Refused:
        _log.warning(
            "the platform refuses the link", code=frame.code, reason=frame.message, final=frame.final
        )
        return frame

    async def _write(self, connection: ClientConnection) -> None:
        """Control first; events and what is in bulk take turns."""
        while True:
            self.ready.clear()
            while self._frames:
                await connection.send(self._frames.popleft(), text=True)
            if events := self.source():
                await connection.send(events, text=True)
            bulk = self.bulk()
            if isinstance(bulk, bytes):
                await connection.send(bulk)
            elif bulk is not None:
                await connection.send(frames.encode(bulk))
            elif events is None and not self._frames:
                await self.ready.wait()

    async def _keep_alive(self, connection: ClientConnection) -> None:
        """Break a connection off on which nothing at all arrives, not even the answer to a ping."""
        loop = asyncio.get_running_loop()
        check = self._timing.ping / 4
        pinged_at = loop.time()
        ping: asyncio.Task[None] | None = None
        try:
            while True:
                before = loop.time()
                await asyncio.sleep(check)
                # While this process stood still it heard nothing: that is not the other end's silence.
                self._heard_at += loop.time() - before - check
                if loop.time() - self._heard_at >= self._timing.dead - check:
                    _log.warning("the link is silent, breaking it off")
                    connection.transport.abort()
                    return
                if loop.time() - pinged_at >= self._timing.ping - check and (ping is None or ping.done()):
                    pinged_at = loop.time()
                    ping = asyncio.create_task(self._ping(connection))
        finally:
            if ping is not None:
                ping.cancel()

    async def _ping(self, connection: ClientConnection) -> None:
        try:
            await (await connection.ping())
        except ConnectionClosed:
            return
        self._heard_at = asyncio.get_running_loop().time()


async def _first_of(
    *work: Coroutine[Any, Any, frames.Refused | None],
) -> frames.Refused | None:
    """What the first of these tasks to end answers or raises; the others are cancelled."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    # A refusal says more than the broken connection that comes with it.
    for task in sorted(done, key=lambda task: task.exception() is not None):
        if (result := task.result()) is not None:
            return result
    return None
