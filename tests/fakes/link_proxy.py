"""Stands between sidecars and the platform on a unix socket, and breaks their connections when it is told."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path


class LinkProxy:
    """Runs in a thread of its own; use it in `with`. All methods may be called from any thread."""

    def __init__(self, path: Path, target: Path) -> None:
        self.path = path
        self.accepted = 0
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._listens = threading.Event()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._run(),), daemon=True
        )

    def __enter__(self) -> LinkProxy:
        self._thread.start()
        assert self._listens.wait(10)
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Break every connection off, without a closing handshake; afterwards nothing of them arrives."""
        self._do(self._cut)

    def hold(self) -> None:
        """Let nothing pass any more: connections stay open and are silent, new ones too."""
        self._do(self._flows.clear)

    def release(self) -> None:
        self._do(self._flows.set)

    def _do(self, act: Callable[[], None]) -> None:
        """In the thread of the connections; returns when it is done."""
        is_done = threading.Event()
        self._loop.call_soon_threadsafe(act)
        self._loop.call_soon_threadsafe(is_done.set)
        assert is_done.wait(10)

    def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _run(self) -> None:
        self._flows.set()
        self.path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._serve, str(self.path))
        self.path.chmod(0o666)
        self._listens.set()
        await self._stop.wait()
        self._flows.set()
        server.close()
        while self._writers:
            self._cut()
            await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        ends = [writer]
        self._writers.add(writer)
        try:
            target_reader, target_writer = await asyncio.open_unix_connection(str(self._target))
            ends.append(target_writer)
            self._writers.add(target_writer)
            await asyncio.gather(self._pipe(reader, target_writer), self._pipe(target_reader, writer))
        except OSError:
            return  # Nobody listens there now.
        finally:
            for each in ends:
                each.transport.abort()
                self._writers.discard(each)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(64 * 1024):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        # The other direction ends with this one, as a broken line does.
        writer.transport.abort()
