"""The sidecar's only door to its box: listens on the box's socket, gives orders, hands gates their callers.

The program at the other end may be hostile. It gets a bounded number of connections, each order a bounded
time, each answer a bounded size. When it breaks the protocol, or its control connection ends, it is lost.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sidecar import box_protocol
from sidecar.box_connections import Connection, Listener
from sidecar.box_process import BoxProcess, BoxPty
from sidecar.box_protocol import BoxError, Hello, Listing

GateHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a box may ask of its sidecar.

    `connections` bounds what is open at once, `greeting_seconds` how long one may stay silent before it says
    what it is for. After `turned_away` connections, or `strays` (replies to no order), the box is lost.
    """

    connections: int = 512
    greeting_seconds: float = 5.0
    turned_away: int = 5000
    strays: int = 1000
    order_seconds: float = 20.0
    exec_seconds: float = 30.0


class BoxServer:
    """One box. `start`, then `connected`, then orders in any number at once; `close` ends all of it.

    Orders raise BoxError (an OSError) when the box refuses, does not answer in time or is gone. `lost` is set
    once the box is gone, by itself or by `close`; `lost_reason` says why, in words. A lost box is never found
    again: its instance ends.
    """

    def __init__(
        self,
        socket_path: Path | str,
        gates: Mapping[str, GateHandler],
        *,
        gate_ports: Mapping[str, int] = box_protocol.GATE_PORTS,
        limits: Limits | None = None,
    ) -> None:
        self.lost = asyncio.Event()
        self.lost_reason = ""
        self._path = Path(socket_path)
        self._gates = gates
        self._wanted_ports = {name: gate_ports[name] for name in gates}
        self._limits = limits or Limits()
        self._ports: asyncio.Future[dict[str, int]] | None = None
        self._listener = Listener(
            self._accepted,
            self._turned_away,
            limit=self._limits.connections,
            greeting_seconds=self._limits.greeting_seconds,
        )
        self._control: Connection | None = None
        self._number = 0
        self._strays = 0
        self._waiting: dict[int, asyncio.Future[Connection]] = {}
        self._processes: dict[int, BoxProcess] = {}

    @property
    def gate_ports(self) -> dict[str, int]:
        """The loopback port in the box of each gate, once connected."""
        if self._ports is None or not self._ports.done():
            raise BoxError("box_lost", "The box is not connected.")
        return self._ports.result()

    async def start(self) -> None:
        """Listen. Call it once; OSError when the socket cannot be made."""
        self._ports = asyncio.get_running_loop().create_future()
        await self._listener.start(self._path)
        # Whoever can reach the folder may connect: the box has another uid, and only the box has the folder.
        self._path.chmod(0o666)

    async def connected(self, timeout: float = 60.0) -> None:
        """Wait until the box program is there and its loopback listeners are open."""
        assert self._ports is not None, "start comes first"
        try:
            async with asyncio.timeout(timeout):
                await asyncio.shield(self._ports)
        except TimeoutError:
            raise BoxError("box_timeout", f"The box did not come up within {timeout:g} seconds.") from None

    async def exec(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str = "/workspace"
    ) -> BoxProcess:
        """Run a program. Its environment is the box's own with `env` on top."""
        process = BoxProcess(self._next_number(), self._send)
        await self._start(process, {"op": "exec", "argv": list(argv), "env": dict(env or {}), "cwd": cwd})
        return process

    async def pty(
        self, argv: Sequence[str], *, env: Mapping[str, str], rows: int, cols: int, cwd: str = ""
    ) -> BoxPty:
        """Run a program on a terminal of its own, or a login shell when `argv` is empty; in the workspace."""
        size = {"rows": rows, "cols": cols}
        terminal = BoxPty(self._next_number(), self._send)
        await self._start(terminal, {"op": "pty", "argv": list(argv), "env": dict(env), "cwd": cwd, **size})
        return terminal

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to a loopback port of the box; the caller closes the writer."""
        order = {"op": "connect", "id": self._next_number(), "port": port}
        connection = await self._order(order, self._limits.order_seconds)
        return connection.reader, connection.writer

    async def list_files(self, path: str) -> Listing:
        """What is in a folder of the workspace; `path` is relative to it and may hold escapes."""
        order = {"op": "list", "path": box_protocol.check_path(path)}
        return box_protocol.decode_listing(await self._fetch(order, box_protocol.MAX_LISTING_BYTES))

    async def read_file(self, path: str, offset: int, length: int) -> bytes:
        """Up to MAX_READ_BYTES of a regular file of the workspace; fewer than `length` only where it ends."""
        length = min(length, box_protocol.MAX_READ_BYTES)
        if offset < 0 or length < 0 or offset > 2**62:
            raise BoxError("not_found", "A file has no such place.")
        order = {
            "op": "read",
            "path": box_protocol.check_path(path),
            "offset": offset,
            "length": length,
        }
        return await self._fetch(order, length)

    async def changes(self, order: Mapping[str, Any], *, seconds: float, limit: int) -> bytes:
        """What `sidecar.box.changes` answers to an order, which the box has `seconds` for."""
        patience = seconds + self._limits.order_seconds
        return await self._fetch({**order, "op": "changes", "seconds": seconds}, limit, patience)

    async def close(self) -> None:
        """End every connection and stop listening; the box program ends with its control connection."""
        self._lose("The sidecar closed it.")
        await self._listener.stopped()
        self._path.unlink(missing_ok=True)

    async def _start(self, process: BoxProcess, order: dict[str, Any]) -> None:
        order["id"] = process.number
        self._processes[process.number] = process
        try:
            process.attach(await self._order(order, self._limits.exec_seconds))
        except BaseException:
            self._processes.pop(process.number, None)
            raise

    async def _order(self, order: dict[str, Any], seconds: float) -> Connection:
        """Give an order that yields bytes, and wait for the connection that carries them."""
        number = order["id"]
        arrival: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self._waiting[number] = arrival
        try:
            self._send(order)
            async with asyncio.timeout(seconds):
                return await arrival
        except BaseException as error:
            if arrival.done() and not arrival.cancelled() and arrival.exception() is None:
                arrival.result().close()  # It came when nobody wanted it any more.
            if isinstance(error, TimeoutError):
                raise BoxError("box_timeout", "The box does not answer.") from None
            raise
        finally:
            self._waiting.pop(number, None)

    async def _fetch(self, order: dict[str, Any], limit: int, seconds: float = 0.0) -> bytes:
        order["id"] = self._next_number()
        connection = await self._order(order, seconds or self._limits.order_seconds)
        try:
            async with asyncio.timeout(self._limits.order_seconds):
                data = await connection.read_all(limit)
        except TimeoutError:
            raise BoxError("box_timeout", "The box does not answer.") from None
        finally:
            connection.close()
        return data

    def _send(self, order: dict[str, Any]) -> None:
        if self._control is None or self.lost.is_set():
            raise BoxError("box_lost", self.lost_reason or "The box is not connected.")
        self._control.writer.write(json.dumps(order).encode() + b"\n")
        if self._control.writer.transport.get_write_buffer_size() > 8 * 1024 * 1024:
            self._lose("It does not read its orders.")

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    async def _accepted(self, connection: Connection, hello: Hello) -> None:
        if hello.hello == "control" and self._control is None and not self.lost.is_set():
            await self._serve_control(connection, hello.version)
        elif hello.hello == "gate" and (gate := self._gates.get(hello.name)) is not None:
            await gate(connection.reader, connection.writer)
        elif hello.hello == "stream" and (arrival := self._arrival(hello.id)) is not None:
            arrival.set_result(connection)
            await connection.closed()
        else:
            # A second control connection, too: there is one box program, and who comes later is not it.
            self._listener.turn_away()

    def _arrival(self, number: int) -> asyncio.Future[Connection] | None:
        arrival = self._waiting.pop(number, None)
        return None if arrival is None or arrival.done() else arrival

    def _turned_away(self, total: int) -> None:
        if total > self._limits.turned_away:
            self._lose("It opened far too many connections.")

    async def _serve_control(self, connection: Connection, version: int) -> None:
        self._control = connection
        try:
            if version != box_protocol.VERSION:
                raise box_protocol.broken(f"its version is {version}")
            self._send({"op": "listen", "id": 0, "gates": self._wanted_ports})
            while line := await connection.read_line():
                self._take(box_protocol.decode_reply(line))
            self._lose("The box program ended.")
        except BoxError as error:
            self._lose(error.message)

    def _take(self, reply: box_protocol.Reply) -> None:
        if reply.id == 0:
            self._take_ports(reply)
        elif not reply.ok and (arrival := self._waiting.pop(reply.id, None)) is not None:
            if not arrival.done():
                arrival.set_exception(box_protocol.refusal(reply))
        elif reply.exit is not None and (process := self._processes.get(reply.id)) is not None:
            process.ended(box_protocol.exit_code(reply))
            del self._processes[reply.id]
        else:
            self._strays += 1
            if self._strays > self._limits.strays:
                raise box_protocol.broken("it answers what nobody asked")

    def _take_ports(self, reply: box_protocol.Reply) -> None:
        assert self._ports is not None
        ports = reply.ports or {}
        if not reply.ok or set(ports) != set(self._wanted_ports):
            raise box_protocol.broken("its loopback listeners are not open")
        if not all(0 < port < 65536 for port in ports.values()):
            raise box_protocol.broken("an impossible port")
        if not self._ports.done():
            self._ports.set_result(ports)

    def _lose(self, reason: str) -> None:
        """The box is gone: nothing that waits for it waits any longer."""
        if self.lost.is_set():
            return
        self.lost_reason = reason
        self.lost.set()
        error = BoxError("box_lost", f"The box is gone: {reason}")
        waiting: list[asyncio.Future[Any]] = [*self._waiting.values()]
        for future in [*waiting, *([self._ports] if self._ports else [])]:
            if not future.done():
                future.set_exception(error)
                future.exception()  # Nobody may be waiting.
        for process in self._processes.values():
            process.lost(error)
        self._processes.clear()
        self._listener.stop()
