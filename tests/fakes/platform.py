"""The platform's end of the link in memory: stores, acknowledges, gives orders, and misbehaves when told to.

async with FakePlatform(folder / "link.sock") as platform:
    station = platform.station(instance_id)
    station.order(frames.TurnStart(turn=..., text="hello"))
    await station.until(lambda: "turn.ended" in station.kinds())
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

from sidecar.protocol import frames, stream
from tests.fakes.station import Station


class FakePlatform:
    """A server on a unix socket; `stop` and `start` are a restart that keeps what is stored."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stations: dict[str, Station] = {}
        self.failures: list[Exception] = []
        """What a sidecar did that no sidecar may do; leaving the context raises the first."""
        self._server: Server | None = None

    def station(self, instance: str) -> Station:
        return self.stations.setdefault(instance, Station(instance))

    async def start(self) -> None:
        self.path.unlink(missing_ok=True)
        self._server = await unix_serve(
            self._serve,
            str(self.path),
            compression=None,
            max_size=frames.MAX_FRAME_BYTES,
            ping_interval=None,
            close_timeout=1,
        )

    async def stop(self) -> None:
        """As a killed process: all connections break off, nobody listens."""
        if self._server is not None:
            for station in self.stations.values():
                station.cut()
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if error is None and self.failures:
            raise self.failures[0]

    async def _serve(self, connection: ServerConnection) -> None:
        hello = frames.decode_up(await connection.recv(decode=False))
        assert isinstance(hello, frames.Hello)
        station = self.station(hello.instance)
        if station.connection is not None:
            station.cut()
        station.hellos.append(hello)
        if station.refusal is not None:
            await connection.send(frames.encode(station.refusal))
            return
        stored = max(station.last_seq, station.first_seq - 1) if station.first_seq else 0
        await connection.send(
            frames.encode(frames.Welcome(version=station.version, platform_version="fake", stored_seq=stored))
        )
        station.connection = connection
        station.changed()
        if waiting := station.commands[hello.last_command :]:
            await connection.send(frames.encode(frames.Commands(commands=waiting)))
        try:
            await self._converse(connection, station)
        except (ConnectionClosed, stream.Gap):
            connection.transport.abort()
        except (AssertionError, ValueError, stream.StreamError) as failure:
            self.failures.append(failure)
            raise
        finally:
            if station.connection is connection:
                station.connection = None
            station.changed()

    async def _converse(self, connection: ServerConnection, station: Station) -> None:
        while True:
            message = await connection.recv()
            if isinstance(message, bytes):
                station.receive_bytes(message)
                station.changed()
                continue
            frame, faults = frames.decode_up(message), station.faults
            if faults.happens(faults.lose):
                continue
            if faults.happens(faults.cut):
                station.cut()
            for _ in range(2 if faults.happens(faults.repeat) else 1):
                answer = station.receive(frame)
                if answer is not None and not faults.happens(faults.mute):
                    await connection.send(frames.encode(answer))
            station.changed()
            if isinstance(frame, frames.Goodbye):
                return
