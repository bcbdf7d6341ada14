"""What a platform knows of one instance: its log, its commands, its keys; in memory and in one place."""

from __future__ import annotations

import asyncio
import itertools
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from sidecar.protocol import frames, messages, sealing, stream, terminals
from sidecar.protocol.egress import Egress
from sidecar.protocol.git import Repository

T = TypeVar("T", bound=terminals.Tell)

VERBS: dict[type[msgspec.Struct], str] = {
    frames.TerminalOpenAgent: "terminal.open_agent",
    frames.SessionClaim: "session.claim",
    frames.TurnStart: "turn.start",
    frames.TurnCancel: "turn.cancel",
    frames.PermissionAnswer: "permission.answer",
    frames.AgentConfigure: "agent.configure",
    frames.AgentRest: "agent.rest",
    Egress: "egress.configure",
    frames.InstanceStop: "instance.stop",
    terminals.TerminalOpen: "terminal.open",
    terminals.TerminalClose: "terminal.close",
    terminals.TerminalResize: "terminal.resize",
}

DEMO = frames.Provider(id="demo", name="Demo", wire="openai-chat", base_url="", needs_key=False)


@dataclass
class Faults:
    """How often something goes wrong, as a probability for each frame."""

    lose: float = 0.0
    repeat: float = 0.0
    cut: float = 0.0
    mute: float = 0.0  # an acknowledgement is not sent
    random: random.Random = field(default_factory=random.Random)

    def happens(self, probability: float) -> bool:
        return probability > 0 and self.random.random() < probability


@dataclass
class StationViewer:
    """A viewer of a terminal: what it was told, and the output as it came; it may stop acknowledging."""

    station: Station
    number: int
    tells: list[terminals.AnyTell] = field(default_factory=list)
    pieces: list[tuple[int, int, bytes]] = field(default_factory=list)
    output: bytearray = field(default_factory=bytearray)
    acknowledges: bool = True

    def take(self, flags: int, offset: int, data: bytes) -> None:
        self.pieces.append((flags, offset, data))
        self.output += data
        if self.acknowledges:
            self.acknowledge(offset + len(data))

    def acknowledge(self, offset: int) -> None:
        self.station.send(terminals.TerminalAck(viewer=self.number, offset=offset))

    def types(self, offset: int, data: bytes) -> None:
        self.station.send(terminals.pack_input(self.number, terminals.pack(0, offset, data)))

    def resize(self, rows: int, cols: int) -> None:
        self.station.send(terminals.TerminalSize(viewer=self.number, rows=rows, cols=cols))

    def leave(self) -> None:
        del self.station.viewers[self.number]
        self.station.send(terminals.TerminalUnwatch(viewer=self.number))

    def told(self, kind: type[T]) -> list[T]:
        return [tell for tell in self.tells if isinstance(tell, kind)]


_numbers = itertools.count(1)


class Station:
    """All that the platform knows about one instance; it survives connections, as rows do."""

    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.session = str(uuid.uuid4())
        self.gen = 1
        self.first_seq = 0
        self.next_seq = 1
        self.stored: list[messages.Event] = []
        self.salvaged: list[messages.Event] = []
        self.salvaged_to: dict[int, int] = {}
        self.commands: list[frames.Command] = []
        self.hellos: list[frames.Hello] = []
        self.done: list[frames.CommandDone] = []
        self.stages: list[frames.Stage] = []
        self.progress: list[frames.Progress] = []
        self.answers: list[frames.Answer] = []
        self.goodbyes: list[str] = []
        self.keys: dict[str, str] = {}
        self.key_requests: list[frames.KeyRequest] = []
        self.refusal: frames.Refused | None = None
        self.version = frames.PROTOCOL_VERSIONS[-1]
        self.viewers: dict[int, StationViewer] = {}
        self.saved: dict[str, dict[int, bytes]] = {}
        self.works = 0
        self.egress: Egress | None = None
        self.repositories: list[Repository] = []
        self.acknowledges = True
        self.faults = Faults()
        self.connection: ServerConnection | None = None
        self._changed = asyncio.Event()

    @property
    def last_seq(self) -> int:
        return self.stored[-1].seq if self.stored else 0

    def kinds(self) -> list[str]:
        return [event.kind for event in self.stored]

    def datas(self, kind: str) -> list[dict[str, object]]:
        return [event.data for event in self.stored if event.kind == kind]

    def text(self) -> str:
        """All text of the agent, part by part in the order of their beginnings."""
        texts: dict[str, str] = {}
        for event in self.stored:
            if event.kind == "message.delta":
                old = texts.get(event.data["part_id"], "")
                assert event.data["offset"] <= len(old), "a piece of text is missing"
                texts[event.data["part_id"]] = old[: event.data["offset"]] + event.data["text"]
        return "".join(texts.values())

    def claim(self, *, agent: str = "scripted", provider: frames.Provider = DEMO, mode: str = "ask") -> int:
        return self.order(
            frames.SessionClaim(
                session=self.session,
                gen=self.gen,
                next_seq=self.next_seq,
                agent=agent,
                model="m1",
                provider=provider,
                mode=mode,
                driver="fake",
                egress=self.egress,
                repositories=self.repositories,
            )
        )

    def start_turn(self, text: str) -> str:
        turn = str(uuid.uuid4())
        self.order(frames.TurnStart(turn=turn, text=text, by="Alice"))
        return turn

    def answer(self, permission_id: str, choice: str) -> int:
        return self.order(
            frames.PermissionAnswer(permission_id=permission_id, choice=choice, user="Alice")  # type: ignore[arg-type]
        )

    def order(self, order: msgspec.Struct) -> int:
        """Give a command; its number."""
        number = len(self.commands) + 1
        data = msgspec.to_builtins(order)
        self.commands.append(frames.Command(number=number, verb=VERBS[type(order)], data=data))
        if self.connection:
            self.send(frames.Commands(commands=[self.commands[-1]]))
        return number

    def send(self, frame: frames.Frame | bytes) -> None:
        """Send without waiting; nothing happens without a connection."""
        if self.connection is not None:
            connection = self.connection
            message = frame if isinstance(frame, bytes) else frames.encode(frame)
            task = asyncio.create_task(_send(connection, message))
            _sending.add(task)
            task.add_done_callback(_sending.discard)

    def cut(self) -> None:
        """Break the connection without a word."""
        if self.connection is not None:
            self.connection.transport.abort()

    async def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until `condition` holds; it is looked at whenever a frame has arrived."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def changed(self) -> None:
        self._changed.set()

    def receive(self, frame: frames.Up) -> frames.Frame | None:
        """What the platform does with a frame, and its answer. stream.Gap when one is missing."""
        match frame:
            case frames.Events():
                return self._store(frame.events)
            case frames.Salvage():
                return self._salvage(frame)
            case frames.KeyRequest():
                self.key_requests.append(frame)
                return self._seal(frame)
            case frames.CommandDone():
                self.done.append(frame)
            case frames.Progress():
                self.progress.append(frame)
            case frames.Stage():
                self.stages.append(frame)
            case frames.Answer():
                self.answers.append(frame)
            case frames.Goodbye():
                self.goodbyes.append(frame.reason)
            case terminals.TerminalTell():
                if viewer := self.viewers.get(frame.viewer):
                    viewer.tells.append(frame.tell)
            case terminals.TerminalSaved():
                self.saved.setdefault(frame.terminal, {})[frame.offset] = frame.data
                return terminals.TerminalSavedAck(
                    terminal=frame.terminal, offset=frame.offset + len(frame.data)
                )
            case terminals.TerminalWork():
                self.works += 1
            case frames.Hello():
                raise stream.StreamError("a second hello")
        return None

    def receive_bytes(self, message: bytes) -> None:
        """Output for a viewer."""
        _, number, rest = terminals.unpack_link(message, terminals.OUTPUT)
        if viewer := self.viewers.get(number):
            viewer.take(*terminals.unpack(rest))

    def watch(
        self, terminal: str, *, offset: int | None = None, client: str = "c", rows: int = 0, cols: int = 0
    ) -> StationViewer:
        """A viewer that acknowledges everything at once."""
        number = next(_numbers)
        viewer = self.viewers[number] = StationViewer(self, number)
        self.send(
            terminals.TerminalWatch(
                viewer=number, terminal=terminal, client=client, offset=offset, rows=rows, cols=cols
            )
        )
        return viewer

    def _store(self, events: list[messages.Event]) -> frames.Ack | None:
        assert self.first_seq, "events before salvage was done"
        incoming = stream.Incoming(last=max(self.last_seq, self.first_seq - 1))
        for event in events:
            messages.check_event(event)
            assert event.gen == self.gen
            if incoming.accept(event.seq):
                self.stored.append(event)
        return frames.Ack(seq=self.last_seq) if self.acknowledges else None

    def _salvage(self, frame: frames.Salvage) -> frames.SalvageAck:
        known = self.salvaged_to.get(frame.gen, 0)
        for event in frame.events:
            messages.check_event(event)
            if event.seq > known:
                self.salvaged.append(event)
                known = self.salvaged_to[frame.gen] = event.seq
        if frame.done and not self.first_seq:
            self.first_seq = self.next_seq
        return frames.SalvageAck(gen=frame.gen, seq=known, next_seq=self.first_seq if frame.done else 0)

    def _seal(self, request: frames.KeyRequest) -> frames.Key:
        key = self.keys.get(request.provider)
        if key is None:
            return frames.Key(provider=request.provider, nonce=request.nonce, error="key_missing")
        info = sealing.info(
            session=self.session,
            generation=self.gen,
            provider=request.provider,
            nonce=sealing.from_text(request.nonce),
            base_url=request.base_url,
        )
        sealed = sealing.seal(sealing.from_text(self.hellos[-1].public_key), key.encode(), info)
        return frames.Key(provider=request.provider, nonce=request.nonce, sealed=sealing.to_text(sealed))


_sending: set[asyncio.Task[None]] = set()


async def _send(connection: ServerConnection, message: str | bytes) -> None:
    try:
        await connection.send(message)
    except ConnectionClosed:
        return
