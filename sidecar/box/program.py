"""Connects the box to its sidecar and carries out its orders: exec, pty, kill, connect, list, read, changes.

One control connection carries orders and replies as JSON lines; every order that yields bytes gets a further
connection for them. The program ends when the control connection does, and the box with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from sidecar.box import apt, files, streams
from sidecar.box.changes import Changes
from sidecar.box.processes import Connection, Processes
from sidecar.box.terminals import Terminals

VERSION = 1
SOCKET = "/run/openagent/box.sock"
WORKSPACE = "/workspace"
# The sidecar starts at the same time as the box; this is how long its socket may take to appear.
CONNECT_SECONDS = 60.0
CONNECT_AGAIN_SECONDS = 0.02
MAX_ORDER_BYTES = 4 * 1024 * 1024


class Box:
    """One control connection and what was started over it."""

    def __init__(self, socket: str, workspace: str, control: Connection) -> None:
        self._socket = socket
        self._workspace = workspace
        self._orders, self._replies = control
        self._processes = Processes()
        self._terminals = Terminals()
        self._changes = Changes(workspace, os.environ.get("HOME", "/"))
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[asyncio.AbstractServer] = []
        self._actions: dict[str, Callable[[dict[str, Any]], Awaitable[None]]] = {
            "listen": self._listen,
            "exec": self._exec,
            "pty": self._pty,
            "resize": self._resize,
            "redraw": self._redraw,
            "kill": self._kill,
            "connect": self._connect,
            "list": self._list,
            "read": self._read,
            "changes": self._changes_of,
        }

    async def serve(self) -> None:
        """Carry out orders until the sidecar hangs up, then end what they started."""
        try:
            await self._send({"hello": "control", "version": VERSION})
            while line := await self._orders.readline():
                self._spawn(self._obey(json.loads(line)))
        finally:
            self._processes.kill_all()
            self._terminals.kill_all()

    async def _obey(self, order: dict[str, Any]) -> None:
        action = self._actions.get(order["op"])
        if action is None:
            await self._refuse(order, "unknown_order", "")
            return
        try:
            await action(order)
        except files.FileError as error:
            await self._refuse(order, error.code, "")
        except (OSError, ValueError) as error:
            await self._refuse(order, _code(error), str(error))

    async def _listen(self, order: dict[str, Any]) -> None:
        """Open the loopback listeners whose connections go to the gate of their name."""
        ports = {}
        for name, port in order["gates"].items():
            server = await asyncio.start_server(self._to_gate(name), "127.0.0.1", port, backlog=128)
            self._listeners.append(server)
            ports[name] = server.sockets[0].getsockname()[1]
        await self._send({"id": order["id"], "ok": True, "ports": ports})

    async def _exec(self, order: dict[str, Any]) -> None:
        number = order["id"]
        self._processes.start(number, order["argv"], order["env"], order["cwd"])
        try:
            connection = await self._open({"hello": "stream", "id": number})
        except OSError:
            self._processes.abandon(number)
            raise
        code = await self._processes.serve(number, connection)
        await self._send({"id": number, "exit": code})

    async def _pty(self, order: dict[str, Any]) -> None:
        number = order["id"]
        size = (order["rows"], order["cols"])
        self._terminals.start(number, order["argv"], order["env"], order["cwd"] or self._workspace, size)
        try:
            connection = await self._open({"hello": "stream", "id": number})
        except OSError:
            self._terminals.abandon(number)
            raise
        await self._send({"id": number, "exit": await self._terminals.serve(number, connection)})

    async def _resize(self, order: dict[str, Any]) -> None:
        if terminal := self._terminals.get(order["id"]):
            terminal.resize(order["rows"], order["cols"])

    async def _redraw(self, order: dict[str, Any]) -> None:
        if terminal := self._terminals.get(order["id"]):
            terminal.redraw()

    async def _kill(self, order: dict[str, Any]) -> None:
        self._processes.kill(order["id"], order["signal"])
        if terminal := self._terminals.get(order["id"]):
            terminal.kill(order["signal"])

    async def _connect(self, order: dict[str, Any]) -> None:
        inside = await asyncio.open_connection("127.0.0.1", order["port"])
        await streams.join(inside, await self._open({"hello": "stream", "id": order["id"]}))

    async def _list(self, order: dict[str, Any]) -> None:
        found = await asyncio.to_thread(files.listing, self._workspace, order["path"])
        await self._deliver(order, json.dumps(found).encode())

    async def _read(self, order: dict[str, Any]) -> None:
        data = await asyncio.to_thread(
            files.content, self._workspace, order["path"], order["offset"], order["length"]
        )
        await self._deliver(order, data)

    async def _changes_of(self, order: dict[str, Any]) -> None:
        await self._deliver(order, await asyncio.to_thread(self._changes.answer, order))

    async def _deliver(self, order: dict[str, Any], data: bytes) -> None:
        _, writer = await self._open({"hello": "stream", "id": order["id"]})
        with contextlib.suppress(OSError):
            writer.write(data)
            await writer.drain()
        writer.close()

    def _to_gate(self, name: str) -> Any:
        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                outside = await self._open({"hello": "gate", "name": name})
            except OSError:
                writer.close()
                return
            await streams.join((reader, writer), outside)

        return forward

    async def _open(self, hello: dict[str, Any]) -> Connection:
        reader, writer = await asyncio.open_unix_connection(self._socket)
        writer.write(json.dumps(hello).encode() + b"\n")
        return reader, writer

    async def _refuse(self, order: dict[str, Any], code: str, message: str) -> None:
        await self._send({"id": order.get("id", 0), "ok": False, "error": code, "message": message})

    async def _send(self, reply: dict[str, Any]) -> None:
        self._replies.write(json.dumps(reply).encode() + b"\n")
        await self._replies.drain()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _code(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "not_found" if isinstance(error, FileNotFoundError) else "failed"


async def run(socket: str, workspace: str) -> None:
    """Connect, serve, and return when the sidecar has hung up. OSError when it never was there."""
    control = await _reach(socket)
    with contextlib.suppress(ConnectionError):
        await Box(socket, workspace, control).serve()


async def _reach(socket: str) -> Connection:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + CONNECT_SECONDS
    while True:
        try:
            return await asyncio.open_unix_connection(socket, limit=MAX_ORDER_BYTES)
        except (FileNotFoundError, ConnectionRefusedError, PermissionError):
            # There is no socket yet, nobody listens yet, or we may not enter yet.
            if loop.time() > deadline:
                raise
        await asyncio.sleep(CONNECT_AGAIN_SECONDS)


def _heed_signals() -> None:
    """A platform that runs in the background ignores some signals, which nothing in the box must inherit."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def main(arguments: list[str]) -> int:
    """The exit code of the program: 0 when the sidecar hung up, 1 when it was never reached."""
    socket = arguments[0] if arguments else SOCKET
    workspace = arguments[1] if len(arguments) > 1 else WORKSPACE
    _heed_signals()
    try:
        apt.configure(os.environ, is_root=os.geteuid() == 0)
    except OSError as error:
        print(f"apt does not know the sources of this host: {error}.", file=sys.stderr)
    try:
        asyncio.run(run(socket, workspace))
    except OSError as error:
        print(f"The sidecar's socket cannot be reached: {error}.", file=sys.stderr)
        return 1
    return 0
