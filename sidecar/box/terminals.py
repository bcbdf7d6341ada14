"""Runs programs on pseudo-terminals, each with its bytes on one connection, and buffers none of them.

Whoever does not read holds the program up: what the connection does not take is not read from the terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence

from sidecar.box import shell_marks
from sidecar.box.processes import Connection, Running, exit_of
from sidecar.box.streams import CHUNK

# What a program wrote before its end may still be on its way through the kernel, and a child that it left
# behind may hold the terminal open for ever: after this much silence nothing more is waited for.
LINGER_SECONDS = 0.25

_KIND = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
_IUTF8 = 0o40000  # The module does not name it; with it Backspace removes whole characters.


class Terminal:
    """One program on its terminal. The slave stays open here until it ends: it may close its own."""

    def __init__(self, running: Running, master: int, slave: int) -> None:
        self.exited = running.exited
        self._process = running.process
        self._master = master
        self._slave = slave
        self._is_open = True

    def resize(self, rows: int, cols: int) -> None:
        """Set the size; the kernel tells the program in the foreground if it is another one."""
        if self._is_open:
            _set_size(self._master, rows, cols)

    def redraw(self) -> None:
        """Ask the program in the foreground to draw itself anew."""
        if self._is_open:
            _signal_group(_foreground(self._master), signal.SIGWINCH)

    def kill(self, number: int) -> None:
        """Signal the program's group, and the one in the foreground."""
        groups = {self._process.pid, _foreground(self._master) if self._is_open else 0}
        for group in groups:
            _signal_group(group, number)

    async def serve(self, connection: Connection) -> None:
        """Copy both ways until the program has ended and all it wrote is sent, or the other end hangs up."""
        reader, writer = connection
        typing = asyncio.ensure_future(self._type(reader))
        showing = asyncio.ensure_future(self._show(writer))
        try:
            await asyncio.wait((typing, showing), return_when=asyncio.FIRST_COMPLETED)
            if not self.exited.done():
                self.kill(signal.SIGHUP)
        finally:
            for task in (typing, showing):
                task.cancel()
            await asyncio.gather(typing, showing, return_exceptions=True)
            self._close()
            writer.close()

    def abandon(self) -> None:
        """End a program that nobody can be connected to."""
        self.kill(signal.SIGKILL)
        self._close()

    async def _show(self, writer: asyncio.StreamWriter) -> None:
        self.exited.add_done_callback(lambda _: self._let_go())
        with contextlib.suppress(OSError):  # The other end hung up.
            while True:
                chunk = self._read()
                if chunk:
                    writer.write(chunk)
                    await writer.drain()
                elif chunk is not None or not await self._readable():
                    return

    async def _type(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):  # Either end is gone.
            while chunk := await reader.read(CHUNK):
                await self._write(chunk)

    def _read(self) -> bytes | None:
        """What there is, joined up to a chunk; empty at the end, None when there is nothing now."""
        pieces = []
        size = 0
        try:
            while size < CHUNK and (piece := os.read(self._master, CHUNK - size)):
                pieces.append(piece)
                size += len(piece)
        except BlockingIOError:
            return b"".join(pieces) or None
        except OSError:  # Nobody has the slave open any more.
            pass
        return b"".join(pieces)

    async def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._master, view) :]
            except BlockingIOError:
                await self._writable()

    async def _readable(self) -> bool:
        """Wait for output; False when the program has ended and none comes."""
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self._master, ready.set)
        waiting = asyncio.ensure_future(ready.wait())
        try:
            if not self.exited.done():
                await asyncio.wait((waiting, self.exited), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                await asyncio.wait((waiting,), timeout=LINGER_SECONDS)
            return ready.is_set()
        finally:
            waiting.cancel()
            loop.remove_reader(self._master)

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_writer(self._master, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(self._master)

    def _let_go(self) -> None:
        """The program has ended: the terminal ends too when no child of it holds it open."""
        if self._slave >= 0:
            os.close(self._slave)
            self._slave = -1

    def _close(self) -> None:
        self._let_go()
        if self._is_open:
            self._is_open = False
            # The kernel hangs up whatever still uses it.
            os.close(self._master)


class Terminals:
    """The terminals that are open, by the number of the order that opened each."""

    def __init__(self) -> None:
        self._open: dict[int, Terminal] = {}

    def start(
        self,
        number: int,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: str,
        size: tuple[int, int],
    ) -> None:
        """Start a program, or a login shell when `argv` is empty. OSError or ValueError when it cannot be."""
        self._open[number] = _start(argv, env, cwd, size)

    async def serve(self, number: int, connection: Connection) -> int:
        """Copy until the end; the exit code, negative for a signal."""
        terminal = self._open[number]
        try:
            await terminal.serve(connection)
            return await terminal.exited
        finally:
            del self._open[number]

    def get(self, number: int) -> Terminal | None:
        """One that has not ended."""
        return self._open.get(number)

    def abandon(self, number: int) -> None:
        """End one that nobody can be connected to."""
        self._open.pop(number).abandon()

    def kill_all(self) -> None:
        """End all of them."""
        for terminal in self._open.values():
            terminal.kill(signal.SIGKILL)


def _start(argv: Sequence[str], env: Mapping[str, str], cwd: str, size: tuple[int, int]) -> Terminal:
    master, slave = os.openpty()
    try:
        _prepare(master, slave, size)
        process = _spawn(argv, _environment(argv, env), cwd, slave)
    except BaseException:
        os.close(master)
        os.close(slave)
        raise
    try:
        return Terminal(Running(process, exit_of(process)), master, slave)
    except OSError:
        process.kill()
        os.close(master)
        os.close(slave)
        process.wait()
        raise


def _prepare(master: int, slave: int, size: tuple[int, int]) -> None:
    os.set_blocking(master, False)
    _set_size(master, *size)
    attributes = termios.tcgetattr(slave)
    attributes[0] |= _IUTF8
    termios.tcsetattr(slave, termios.TCSANOW, attributes)


def _environment(argv: Sequence[str], env: Mapping[str, str]) -> dict[str, str]:
    around = {**os.environ, **_KIND}
    marks = {} if argv else shell_marks.environment(env.get("SHELL") or around.get("SHELL", ""))
    return {**around, **marks, **env}


def _spawn(argv: Sequence[str], env: Mapping[str, str], cwd: str, slave: int) -> subprocess.Popen[bytes]:
    shell = env.get("SHELL") or "/bin/sh"
    # A shell whose name begins with a dash is a login shell, whichever shell it is.
    words, executable = (list(argv), None) if argv else (["-" + os.path.basename(shell)], shell)
    return subprocess.Popen(
        words,
        executable=executable,
        env=env,
        cwd=cwd,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )


def _take_terminal() -> None:
    """In the child, after setsid: standard input becomes its controlling terminal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _set_size(master: int, rows: int, cols: int) -> None:
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def _foreground(master: int) -> int:
    """The group in the foreground; 0 when there is none."""
    try:
        return os.tcgetpgrp(master)
    except OSError:
        return 0


def _signal_group(group: int, number: int) -> None:
    if group > 0:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
