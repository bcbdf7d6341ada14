"""Runs programs in the box: each in its own process group, with input and output on one connection."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import IO

from sidecar.box import streams

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Processes:
    """The programs that run now, by the number of the order that started them."""

    def __init__(self) -> None:
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._copying: set[asyncio.Task[None]] = set()

    def start(self, number: int, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
        """Start a program; OSError or ValueError when it cannot be."""
        self._running[number] = subprocess.Popen(
            argv,
            env={**os.environ, **env},
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def serve(self, number: int, connection: Connection) -> asyncio.Future[int]:
        """Copy the program's bytes until its output ends; the answer is a future of its exit code.

        The two are apart because children that a program leaves behind may write on after its end.
        """
        process = self._running[number]
        exited = _exit_of(process)
        task = asyncio.get_running_loop().create_task(self._copy(number, process, connection, exited))
        self._copying.add(task)
        task.add_done_callback(self._copying.discard)
        return exited

    def kill(self, number: int, signal_number: int) -> None:
        """Signal the program's whole process group; one that has ended is left alone."""
        process = self._running.get(number)
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal_number)

    def abandon(self, number: int) -> None:
        """End a program that nobody can be connected to."""
        self.kill(number, signal.SIGKILL)
        process = self._running.pop(number)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait()

    def kill_all(self) -> None:
        """End everything that was started and has not left its process group."""
        for number in self._running:
            self.kill(number, signal.SIGKILL)

    async def _copy(
        self,
        number: int,
        process: subprocess.Popen[bytes],
        connection: Connection,
        exited: asyncio.Future[int],
    ) -> None:
        assert process.stdin is not None and process.stdout is not None
        reader, writer = connection
        stdin = await _writer(process.stdin)
        stdout, pipe = await _reader(process.stdout)
        feeding = asyncio.ensure_future(_feed(reader, stdin))
        try:
            await streams.copy(stdout, writer)
            await exited
        except OSError:
            # The other end hung up: nobody wants this program any more.
            self.kill(number, signal.SIGHUP)
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            pipe.close()
            stdin.close()
            writer.close()
            await exited
            del self._running[number]


async def _feed(reader: asyncio.StreamReader, stdin: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        await streams.copy(reader, stdin)


async def _reader(pipe: IO[bytes]) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    return reader, transport


async def _writer(pipe: IO[bytes]) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), pipe
    )
    return asyncio.StreamWriter(transport, protocol, None, loop)


def _exit_of(process: subprocess.Popen[bytes]) -> asyncio.Future[int]:
    """The exit code; negative is a signal.

    A thread waits for it, because some versions of asyncio wait until all pipes are closed as well, and a
    server that a program has left behind holds them open for ever.
    """
    loop = asyncio.get_running_loop()
    exited: asyncio.Future[int] = loop.create_future()

    def finish(code: int) -> None:
        if not exited.done():
            exited.set_result(code)

    def wait() -> None:
        code = process.wait()
        with contextlib.suppress(RuntimeError):  # The loop has ended.
            loop.call_soon_threadsafe(finish, code)

    threading.Thread(target=wait, daemon=True).start()
    return exited
