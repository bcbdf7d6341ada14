"""Sidecars for tests of the platform and for the bench: many in one process, without a box.

`FakeSidecar` is the real instance (link, journal, salvage, dispatch, turns) around a fake agent, which plays
the demo model's scripts (`/demo work`) or what it is given, see `tests.fakes.agent`. `StreamingSidecar` only
speaks the protocol and sends events at a pace: it measures a platform, not itself.

    sidecar = FakeSidecar(instance=..., token=..., link={"unix": path}, journal=folder)
    async with sidecar:
        await sidecar.ended
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import msgspec
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed

from sidecar import config
from sidecar.agents.base import Agent
from sidecar.box_protocol import Listing
from sidecar.box_server import GateHandler
from sidecar.ending import Exit
from sidecar.instance import Instance
from sidecar.journal import Disk
from sidecar.link import PATH, Timing
from sidecar.protocol import frames, sealing, stream
from sidecar.surroundings import Parts
from tests.fakes.agent import FakeAgent
from tests.fakes.disk import NO_SYNC

QUICK = Timing(ping=1.0, dead=3.0, first_retry=0.02, last_retry=0.2, settled=1.0)
"""For tests that break connections and do not want to wait for the next one."""


class IdleBox:
    """A box that is there at once, holds no files and runs nothing."""

    def __init__(self, gates: Mapping[str, GateHandler]) -> None:
        self.lost = asyncio.Event()
        self.lost_reason = ""
        self.gate_ports = dict.fromkeys(gates, 7001)
        self.gates = gates

    async def start(self) -> None:
        return

    async def connected(self, timeout: float = 60.0, /) -> None:
        return

    async def exec(self, argv: Sequence[str], /, *, env: Mapping[str, str], cwd: str) -> NoReturn:
        raise ConnectionError("this box runs nothing")

    async def pty(self, argv: Sequence[str], /, *, env: Mapping[str, str], rows: int, cols: int) -> NoReturn:
        raise ConnectionError("this box runs nothing")

    async def connect(self, port: int, /) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raise ConnectionError("nothing listens in this box")

    async def list_files(self, path: str, /) -> Listing:
        return Listing([], truncated=False)

    async def read_file(self, path: str, offset: int, length: int, /) -> bytes:
        return b""

    async def changes(self, order: Mapping[str, Any], /, *, seconds: float, limit: int) -> bytes:
        raise ConnectionError("this box remembers nothing")

    async def close(self) -> None:
        return

    def lose(self, reason: str) -> None:
        """The box ends unexpectedly."""
        self.lost_reason = reason
        self.lost.set()


class FakeSidecar:
    """One instance in this process. `ended` is its exit code when it has one."""

    instance_type: type[Instance] = Instance

    def __init__(
        self,
        *,
        instance: str,
        token: str,
        link: Mapping[str, str],
        journal: Path,
        agent: Callable[[], Agent] = FakeAgent,
        limits: config.Limits | None = None,
        disk: Disk = NO_SYNC,
        timing: Timing = QUICK,
    ) -> None:
        journal.mkdir(parents=True, exist_ok=True)
        self._config = config.Config(
            instance=instance,
            token=token,
            link=config.LinkAddress(**link),
            journal=str(journal),
            box_socket="",
            driver="fake",
            limits=limits or config.Limits(),
        )
        self._make_agent = agent
        self._timing = timing
        self.parts = Parts(get_agent=self._get_agent, make_box=self._make_box, disk=disk)
        self.box = IdleBox({})
        self.agent: Agent | None = None
        self.instance: Instance | None = None
        self.ended: asyncio.Task[Exit] | None = None

    def start(self) -> asyncio.Task[Exit]:
        """Begin to live; the task ends with the exit code."""
        self.instance = self.instance_type(self._config, self.parts, timing=self._timing)
        self.ended = asyncio.create_task(self.instance.run())
        return self.ended

    def stop(self, reason: str = "shutdown") -> None:
        """As SIGTERM does."""
        assert self.instance is not None
        self.instance.stop(reason)

    async def kill(self) -> None:
        """As SIGKILL does: no goodbye, no flush, and the journal stays as it is at this moment."""
        assert self.ended is not None
        folder = Path(self._config.journal)
        files = {}
        for path in folder.iterdir():
            # A thread may rename it at this moment: killed a little earlier, it would not be there.
            with suppress(FileNotFoundError):
                files[path] = path.read_bytes()
        self.ended.cancel()
        with suppress(asyncio.CancelledError):
            await self.ended
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        for path, content in files.items():
            path.write_bytes(content)

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.ended is not None and not self.ended.done():
            await self.kill()

    def _get_agent(self, agent_id: str) -> Agent:
        self.agent = self._make_agent()
        return self.agent

    def _make_box(self, socket: Path, gates: Mapping[str, GateHandler]) -> IdleBox:
        self.box = IdleBox(gates)
        return self.box


class StreamingSidecar:
    """Hello, claim, ready; then for each prompt `count` pieces of text, one every `interval` seconds.

    Each piece begins with the time.perf_counter_ns at which it was due. What is acknowledged is counted and
    nothing is kept: a broken connection is an error.
    """

    def __init__(
        self, *, instance: str, token: str, link: Mapping[str, str], filler: str = "x" * 120
    ) -> None:
        self._instance = instance
        self._token = token
        self._link = link
        self._filler = filler
        self._gen = 0
        self._seq = 0
        self._connection: ClientConnection | None = None
        self.sent: list[str] = []
        self.acknowledged = 0
        self.is_ready = asyncio.Event()
        self.turns: asyncio.Queue[frames.TurnStart] = asyncio.Queue()
        self._claim: asyncio.Future[frames.SessionClaim] = asyncio.get_running_loop().create_future()
        self._next_seq: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self, *, count: int, interval: float) -> None:
        """Connect and play every prompt, until the platform closes the connection."""
        async with self._dial() as connection:
            self._connection = connection
            key = sealing.to_text(uuid.UUID(self._instance).bytes * 2)
            await self._send(
                frames.Hello(
                    versions=[1],
                    sidecar_version="bench",
                    instance=self._instance,
                    token=self._token,
                    public_key=key,
                    nonce=sealing.to_text(uuid.UUID(self._instance).bytes),
                )
            )
            playing = asyncio.create_task(self._play(count, interval))
            try:
                await self._read(connection)
            except ConnectionClosed:
                return
            finally:
                playing.cancel()
                await asyncio.gather(playing, return_exceptions=True)

    def _dial(self) -> connect:
        if path := self._link.get("unix"):
            return unix_connect(path, f"ws://localhost{PATH}", compression=None)
        return connect(self._link["url"], compression=None)

    async def _read(self, connection: ClientConnection) -> None:
        while True:
            match frames.decode_down(await connection.recv(decode=False)):
                case frames.Ack(seq=seq):
                    self.acknowledged = seq
                case frames.SalvageAck(next_seq=next_seq) if next_seq:
                    self._next_seq.set_result(next_seq)
                case frames.Commands(commands=commands):
                    for command in commands:
                        await self._take(command)
                case frames.Refused() as refused:
                    raise AssertionError(f"the platform refused: {refused.message}")

    async def _take(self, command: frames.Command) -> None:
        await self._send(frames.CommandDone(number=command.number))
        if command.verb == "session.claim":
            self._claim.set_result(msgspec.convert(command.data, frames.SessionClaim))
        elif command.verb == "turn.start":
            self.turns.put_nowait(msgspec.convert(command.data, frames.TurnStart))

    async def _play(self, count: int, interval: float) -> None:
        claim = await self._claim
        self._gen = claim.gen
        await self._send(frames.Salvage(gen=claim.gen, events=[], done=True))
        self._seq = await self._next_seq - 1
        agent = {"id": "streaming", "name": "Streaming", "version": "1"}
        await self._event("instance.started", {"agent": agent}, None)
        self.is_ready.set()
        while True:
            order = await self.turns.get()
            await self._event("turn.started", {"prompt": order.text}, order.turn)
            await self._stream(order.turn, count, interval)
            await self._event("turn.ended", {"stop_reason": "end_turn"}, order.turn)

    async def _stream(self, turn: str, count: int, interval: float) -> None:
        loop = asyncio.get_running_loop()
        offset, begun, begun_ns = 0, loop.time(), time.perf_counter_ns()
        for number in range(count):
            await asyncio.sleep(begun + number * interval - loop.time())
            text = f"<{begun_ns + round(number * interval * 1e9)}>{self._filler}"
            await self._event("message.delta", {"part_id": turn, "offset": offset, "text": text}, turn)
            offset += len(text)
            self.sent.append(text)

    async def _event(self, kind: str, data: dict[str, object], turn: str | None) -> None:
        self._seq += 1
        encoded = stream.encode_event(
            seq=self._seq,
            gen=self._gen,
            turn=turn,
            ts="2026-01-01T00:00:00.000Z",
            kind=kind,
            data=msgspec.json.encode(data),
        )
        assert self._connection is not None
        await self._connection.send(stream.events_frame([encoded]), text=True)

    async def _send(self, frame: frames.Frame) -> None:
        assert self._connection is not None
        await self._connection.send(frames.encode(frame))
