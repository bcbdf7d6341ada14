"""A client of one terminal's socket that keeps the rules of docs/terminals.md, as a browser has to.

It watches in a thread of its own, connects again whenever the connection ends, shows each byte once and sends
each keystroke until it is acknowledged.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from sidecar.protocol import terminals as wire
from tests.end_to_end.client import Client, eventually

ACK_BYTES = 32 * 1024
SILENT_SECONDS = 25.0


class TerminalClient:
    """Use it in `with`. `screen` is everything that it would show; `complaints` what broke a rule."""

    def __init__(self, client: Client, session: str, terminal: str, *, bytes_per_second: float = 0) -> None:
        self.screen = bytearray()
        self.complaints: list[str] = []
        self.connects = 0
        self.resets = 0
        self.end: dict[str, Any] | None = None
        self.typed = b""
        self._acknowledged_input = 0
        self._sent_input = 0
        self._next: int | None = None
        self._parsed = 0
        self._rate = bytes_per_second
        self._client_id = str(uuid.uuid4())
        path = f"/ws/sessions/{session}/terminals/{terminal}/?client={self._client_id}"
        self._url = client.url.replace("http", "ws", 1) + path
        self._headers = {"authorization": f"Bearer {client.token}"}
        self._connection: ClientConnection | None = None
        self._has_hello = False
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> TerminalClient:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self.cut()
        self._thread.join(10)

    def type(self, data: bytes) -> None:
        """Keystrokes; they are sent now, or when there is somebody to send them to."""
        with self._lock:
            self.typed += data
            self._send_input()

    def cut(self) -> None:
        """Break the socket off without a word, as a network does."""
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(2)

    def cut_and_join(self) -> None:
        """`cut`, and wait until it is connected again: the next cut has something to cut."""
        before = self.connects
        self.cut()
        self.until(lambda: self.connects > before)

    def until(self, condition: Callable[[], Any], seconds: float = 60) -> Any:
        return eventually(condition, seconds, self._describe)

    def _describe(self) -> str:
        progress = f"{self._acknowledged_input} of {self._sent_input} sent, {self.connects} connections"
        return f"{self.complaints} {progress} {bytes(self.screen[-300:])!r}"

    def shows(self, text: bytes, seconds: float = 60) -> None:
        self.until(lambda: text in self.screen, seconds)

    @property
    def place(self) -> int:
        """The offset after the last byte that it has shown."""
        return self._next or 0

    @property
    def acknowledged(self) -> int:
        """How much of what was typed is on its way to the program for sure."""
        return self._acknowledged_input

    def all_acknowledged(self) -> bool:
        return self._acknowledged_input == len(self.typed)

    def _run(self) -> None:
        while not self._over.is_set() and self.end is None:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                self._connect()
            self._has_hello = False
            time.sleep(random.uniform(0.05, 0.3))

    def _connect(self) -> None:
        offset = "" if self._next is None else f"&offset={self._next}"
        options: dict[str, Any] = {"additional_headers": self._headers, "compression": None, "max_size": None}
        with connect(f"{self._url}{offset}&rows=24&cols=80", open_timeout=10, **options) as connection:
            self._connection = connection
            self.connects += 1
            while not self._over.is_set():
                try:
                    message = connection.recv(timeout=SILENT_SECONDS)
                except ConnectionClosed as closed:
                    if closed.rcvd and 4400 <= closed.rcvd.code < 4500:
                        self.complaints.append(f"closed with {closed.rcvd.code} {closed.rcvd.reason}")
                        self._over.set()
                    return
                with self._lock:
                    if isinstance(message, bytes):
                        self._show(connection, message)
                    else:
                        self._hear(json.loads(message))

    def _show(self, connection: ClientConnection, message: bytes) -> None:
        _, offset, data = wire.unpack(message)
        if self._next is None or offset > self._next:
            self.complaints.append(f"a gap: {offset} after {self._next}")
            return
        fresh = data[self._next - offset :]
        self.screen += fresh
        self._next += len(fresh)
        if self._rate:
            time.sleep(len(fresh) / self._rate)
        if self._next - self._parsed >= ACK_BYTES or len(data) < wire.CHUNK_BYTES:
            self._parsed = self._next
            connection.send(json.dumps({"type": "ack", "offset": self._next}))

    def _hear(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "hello":
            if message["reset"]:
                self._reset(message["offset"])
            elif message["offset"] != self._next:
                self.complaints.append(f"hello at {message['offset']}, not {self._next}")
            if message["input"] < self._acknowledged_input and not message["closed"]:
                self.complaints.append("acknowledged input was forgotten")
            self._acknowledged_input = self._sent_input = max(message["input"], self._acknowledged_input)
            self._has_hello = True
            self._send_input()
        elif kind == "waiting":
            self._has_hello = False
        elif kind == "reset":
            self._reset(message["offset"])
        elif kind == "input":
            self._acknowledged_input = max(self._acknowledged_input, message["offset"])
            self._send_input()
        elif kind == "exit":
            self.end = message

    def _reset(self, offset: int) -> None:
        if self._next is not None:
            self.resets += 1
        self._next = self._parsed = offset
        self.screen.clear()

    def _send_input(self) -> None:
        while self._has_hello and self._connection is not None and self._sent_input < len(self.typed):
            room = wire.WINDOW_BYTES - (self._sent_input - self._acknowledged_input)
            data = self.typed[self._sent_input : self._sent_input + min(room, wire.CHUNK_BYTES)]
            if not data:
                return
            try:
                self._connection.send(wire.pack(0, self._sent_input, data))
            except (ConnectionClosed, OSError):
                self._has_hello = False
                return
            self._sent_input += len(data)
