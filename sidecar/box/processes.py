"""Runs programs in the box: each in its own process group, with input and output on one connection."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import IO, NamedTuple

from sidecar.box import streams

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Running(NamedTuple):
    """A program, and a future of its exit code."""

    process: subprocess.Popen[bytes]
    exited: asyncio.Future[int]


class Processes:
    """The programs that run now, by the number of the order that started them."""

    def __init__(self) -> None:
        self._running: dict[int, Running] = {}
        self._copying: set[asyncio.Task[None]] = set()

    def start(self, number: int, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
        """Start a program; OSError or ValueError when it cannot be."""
        process = subprocess.Popen(
            argv,
            env={**os.environ, **env},
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._running[number] = Running(process, exit_of(process))
        except OSError:
            _end(process)
            raise

    def serve(self, number: int, connection: Connection) -> asyncio.Future[int]:
        """Copy the program's bytes until its output ends; the answer is a future of its exit code.

        The two are apart because children that a program leaves behind may write on after its end.
        """
        task = asyncio.get_running_loop().create_task(self._copy(number, connection))
        self._copying.add(task)
        task.add_done_callback(self._copying.discard)
        return self._running[number].exited

    def kill(self, number: int, signal_number: int) -> None:
        """Signal the program's whole process group; one that has ended is left alone."""
        running = self._running.get(number)
        if running is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(running.process.pid, signal_number)

    def abandon(self, number: int) -> None:
        """End a program that nobody can be connected to."""
        self.kill(number, signal.SIGKILL)
        _close_pipes(self._running.pop(number).process)

    def kill_all(self) -> None:
        """End everything that was started and has not left its process group."""
        for number in self._running:
            self.kill(number, signal.SIGKILL)

    async def _copy(self, number: int, connection: Connection) -> None:
        running = self._running[number]
        assert running.process.stdin is not None and running.process.stdout is not None
        reader, writer = connection
        stdin = await _writer(running.process.stdin)
        stdout, pipe = await _reader(running.process.stdout)
        feeding = asyncio.ensure_future(_feed(reader, stdin))
        try:
            await streams.copy(stdout, writer)
            await running.exited
        except OSError:
            # The other end hung up: nobody wants this program any more.
            self.kill(number, signal.SIGHUP)
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            pipe.close()
            stdin.close()
            writer.close()
            await running.exited
            del self._running[number]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    _close_pipes(process)
    process.wait()


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


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


def exit_of(process: subprocess.Popen[bytes]) -> asyncio.Future[int]:
    """The exit code; negative is a signal.

    Not asyncio's own: some versions of it wait until all pipes are closed as well, and a server that a
    program has left behind holds them open for ever.
    """
    loop = asyncio.get_running_loop()
    exited: asyncio.Future[int] = loop.create_future()
    try:
        ended = os.pidfd_open(process.pid)
    except OSError:  # Sandboxes that imitate a kernel may not know it.
        _wait_in_thread(process, exited)
        return exited

    def finish() -> None:
        loop.remove_reader(ended)
        os.close(ended)
        exited.set_result(process.wait())

    loop.add_reader(ended, finish)
    return exited


def _wait_in_thread(process: subprocess.Popen[bytes], exited: asyncio.Future[int]) -> None:
    loop = exited.get_loop()

    def wait() -> None:
        code = process.wait()
        with contextlib.suppress(RuntimeError):  # The loop has ended.
            loop.call_soon_threadsafe(exited.set_result, code)

    try:
        threading.Thread(target=wait, daemon=True).start()
    except RuntimeError as error:
        raise BlockingIOError(errno.EAGAIN, "there are too many processes") from error
