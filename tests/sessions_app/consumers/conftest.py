"""A browser and a sidecar at the two ends of the real ASGI application."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from openagent.accounts.models import User
from openagent.asgi import application
from sessions_app.consumers import upkeep
from sessions_app.models import Instance, Session, Terminal
from sessions_app.services import events, instances, specs
from sidecar.protocol import frames, messages
from sidecar.protocol import terminals as wire

SECONDS = 30
CLIENT = str(uuid.UUID(int=7))


class Socket:
    """A connection as JSON messages."""

    def __init__(self, path: str, headers: dict[str, str], served_by: Any = application) -> None:
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._communicator = WebsocketCommunicator(served_by, path, headers=[(b"host", b"localhost"), *raw])

    async def connect(self) -> bool:
        accepted, _ = await self._communicator.connect(timeout=SECONDS)
        return bool(accepted)

    async def send(self, message: dict[str, Any]) -> None:
        await self._communicator.send_to(text_data=json.dumps(message))

    async def send_raw(self, text: str) -> None:
        await self._communicator.send_to(text_data=text)

    async def receive(self) -> dict[str, Any]:
        output = await self._communicator.receive_output(timeout=SECONDS)
        assert output["type"] == "websocket.send", output
        message: dict[str, Any] = json.loads(output["text"])
        return message

    async def until(self, kind: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The next message of this type, and what came before it."""
        before = []
        while (message := await self.receive())["type"] != kind:
            before.append(message)
        return message, before

    async def closed(self) -> int:
        """Skips messages; the code that the connection is closed with."""
        while True:
            output = await self._communicator.receive_output(timeout=SECONDS)
            if output["type"] == "websocket.close":
                return int(output["code"])

    async def close(self) -> None:
        await self._communicator.disconnect(timeout=SECONDS)


class Browser(Socket):
    """Alice's, signed in by cookie and coming from our own page."""

    async def events_until(self, seq: int) -> list[dict[str, Any]]:
        """All events up to this number, in the order in which they came."""
        found: list[dict[str, Any]] = []
        while not found or found[-1]["seq"] < seq:
            message = await self.receive()
            if message["type"] == "events":
                found.extend(message["events"])
                await self.send({"type": "ack", "seq": found[-1]["seq"]})
        return found


class Sidecar(Socket):
    """Speaks the link's protocol by hand."""

    def __init__(self, instance: Instance, served_by: Any = application) -> None:
        super().__init__("/ws/link/", {}, served_by)
        self.instance = instance
        self.seq = 0
        self.acknowledged = 0

    async def hello(self, **changes: Any) -> dict[str, Any]:
        assert await self.connect()
        values = {
            "versions": [1],
            "sidecar_version": "0",
            "instance": str(self.instance.pk),
            "token": specs.token_for(self.instance.pk),
            "public_key": base64.b64encode(b"k" * 32).decode(),
            "nonce": base64.b64encode(b"n" * 16).decode(),
        }
        await self.send_frame(frames.Hello(**{**values, **changes}))
        return await self.receive()

    async def begin(self, **changes: Any) -> None:
        """Hello, nothing to salvage, and ready."""
        assert (await self.hello(**changes))["type"] == "welcome"
        await self.send_frame(frames.Salvage(gen=self.instance.generation, events=[], done=True))
        ack, _ = await self.until("salvage.ack")
        self.seq = ack["next_seq"] - 1
        await self.say("instance.started", agent={"id": "fake", "name": "Fake", "version": "1"})

    async def send_frame(self, frame: frames.Frame) -> None:
        await self.send_raw(frames.encode(frame))

    def event(self, kind: str, turn: uuid.UUID | None = None, **data: Any) -> messages.Event:
        self.seq += 1
        return messages.Event(
            seq=self.seq,
            gen=self.instance.generation,
            turn=str(turn) if turn else None,
            ts=events.timestamp(),
            kind=kind,
            data=data,
        )

    async def say(self, kind: str, turn: uuid.UUID | None = None, **data: Any) -> None:
        """Sends one event and waits until it is stored."""
        await self.send_frame(frames.Events(events=[self.event(kind, turn, **data)]))
        await self.stored()

    async def stored(self) -> None:
        while self.acknowledged < self.seq:
            ack, _ = await self.until("ack")
            self.acknowledged = ack["seq"]

    async def command(self, verb: str) -> dict[str, Any]:
        """The data of the next command with this verb."""
        while True:
            message, _ = await self.until("commands")
            for command in message["commands"]:
                if command["verb"] == verb:
                    data: dict[str, Any] = command["data"]
                    return data


@pytest.fixture
async def sockets() -> AsyncIterator[list[Socket]]:
    """Every socket that a test opened is closed, and the upkeep of this event loop ended."""
    opened: list[Socket] = []
    yield opened
    for socket in opened:
        await socket.close()
    await upkeep.stop()


@pytest.fixture
def session(transactional_db: None, alice: User) -> Session:
    return Session.objects.create(owner=alice, model="demo")


@pytest.fixture
def cookie(transactional_db: None, alice: User) -> str:
    client = Client()
    client.force_login(alice)
    return f"sessionid={client.cookies['sessionid'].value}"


@pytest.fixture
def browser(sockets: list[Socket], session: Session, cookie: str) -> Callable[..., Browser]:
    def make(after: str = "", **headers: str) -> Browser:
        query = f"?after={after}" if after else ""
        made = Browser(
            f"/ws/sessions/{session.pk}/{query}", {"cookie": cookie, "origin": "http://localhost", **headers}
        )
        sockets.append(made)
        return made

    return make


@pytest.fixture
async def sidecar(sockets: list[Socket], session: Session) -> Sidecar:
    instance = await sync_to_async(instances.wake)(session_id=session.pk)
    assert instance is not None
    made = Sidecar(instance)
    sockets.append(made)
    await made.begin()
    return made


async def eventually(condition: Callable[[], bool]) -> None:
    """Waits until the database says so."""
    async with asyncio.timeout(SECONDS):
        while not await sync_to_async(condition)():
            await asyncio.sleep(0.02)


class View(Socket):
    """Alice's view of a terminal."""

    async def hears(self) -> dict[str, Any] | tuple[int, int, bytes]:
        """The next message: a dictionary, or flags, offset and bytes."""
        output = await self._communicator.receive_output(timeout=SECONDS)
        assert output["type"] == "websocket.send", output
        if output.get("bytes") is not None:
            return wire.unpack(output["bytes"])
        message: dict[str, Any] = json.loads(output["text"])
        return message

    async def types(self, offset: int, data: bytes) -> None:
        await self._communicator.send_to(bytes_data=wire.pack(0, offset, data))


@pytest.fixture
def view(sockets: list[Socket], session: Session, cookie: str) -> Callable[..., View]:
    def make(terminal: Terminal, query: str = f"client={CLIENT}", **headers: str) -> View:
        path = f"/ws/sessions/{session.pk}/terminals/{terminal.pk}/?{query}"
        made = View(path, headers or {"cookie": cookie, "origin": "http://localhost"})
        sockets.append(made)
        return made

    return make
