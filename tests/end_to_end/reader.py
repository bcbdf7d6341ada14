"""A reader of one session's socket that keeps the rules of docs/protocol.md, as a browser has to.

It follows in a thread of its own, connects again whenever the connection ends, and remembers what it would
show, what was wrong with what it was sent, and when things arrived.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from sessions_app.services import conversation
from tests.end_to_end.client import SECONDS, Client, eventually

Event = dict[str, Any]

ACK_EVENTS = 64
ACK_SECONDS = 0.25
SILENT_SECONDS = 22.0
FIRST_DELAY_SECONDS = 0.4
MAX_DELAY_SECONDS = 15.0


class Log:
    """The rows that a reader holds. `take` keeps the three rules; what breaks them is in `complaints`."""

    def __init__(self) -> None:
        self.rows: list[Event] = []
        self.gen = 0
        self.seq = 0
        self.covered = 0
        self.repeats = 0
        self.replaced = 0
        self.complaints: list[str] = []

    def take(self, event: Event, *, live: bool) -> bool:
        """Take one event; False when one is missing before it, and the reader has to ask again."""
        last = event.get("seq_end") or event["seq"]
        if event["gen"] < self.gen:
            self.complaints.append(f"generation {event['gen']} after {self.gen}")
            return True
        if event["gen"] > self.gen and event["seq"] <= self.covered:
            self._take_back(event["seq"])
        elif last <= self.seq:
            self.repeats += 1
            return True
        elif live and event["seq"] > max(self.seq, self.covered) + 1:
            self.complaints.append(f"gap: {event['seq']} after {self.covered}")
            return False
        self.rows.append(event)
        self.gen, self.seq = event["gen"], max(self.seq, event["seq"])
        self.covered = max(self.covered, last)
        return True

    def _take_back(self, seq: int) -> None:
        """What an ended generation showed and never stored did not become part of the log."""
        kept = [row for row in self.rows if (row.get("seq_end") or row["seq"]) < seq]
        self.replaced += len(self.rows) - len(kept)
        self.rows = kept
        self.seq = max((row["seq"] for row in kept), default=0)
        self.covered = max((row.get("seq_end") or row["seq"] for row in kept), default=0)


class Reader:
    """Follows a session from its beginning. Use it in `with`; afterwards everything it saw is still there."""

    def __init__(self, client: Client, session: str) -> None:
        self.log = Log()
        self.state: dict[str, Any] = {}
        self.statuses: list[str] = []
        self.is_live = False
        self.connects = 0
        self.arrivals: list[tuple[float, int]] = []
        self._url = f"{client.url.replace('http', 'ws', 1)}/ws/sessions/{session}/"
        self._headers = {"authorization": f"Bearer {client.token}"}
        self._what = session
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._connection: ClientConnection | None = None
        self._failures = 0
        self._unacknowledged = 0
        self._acknowledged_at = 0.0
        self._thread = threading.Thread(target=self._follow, name=f"reader {session}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join(10)

    def cut(self) -> None:
        """Break the connection off, without a closing handshake; it is made again."""
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)

    # --- what tests look at ---------------------------------------------------------------------------

    def shown(self) -> dict[str, Any]:
        """The conversation as it stands on this reader's screen."""
        with self._lock:
            return conversation.fold(list(self.log.rows))

    def events(self, kind: str) -> list[Event]:
        with self._lock:
            return [event for event in self.log.rows if event["kind"] == kind]

    def recent(self, count: int) -> list[Event]:
        """The last so many rows."""
        with self._lock:
            return self.log.rows[-count:]

    def wait(self, what: Callable[[Reader], Any], seconds: float = SECONDS) -> Any:
        """What `what` finds as soon as it finds something."""
        return eventually(
            lambda: what(self), seconds, lambda: f"not seen by the reader: {self.describe()}", longest=0.2
        )

    def wait_for_text(self, turn: str, characters: int, seconds: float = SECONDS) -> None:
        """Until the turn has said so much."""

        def has_said(reader: Reader) -> bool:
            pieces = (event for event in reader.events("message.delta") if event["turn"] == turn)
            return sum(len(piece["data"]["text"]) for piece in pieces) >= characters

        self.wait(has_said, seconds)

    def wait_for_event(self, kind: str, turn: str | None = None, seconds: float = SECONDS) -> Event:
        def look(reader: Reader) -> Event | None:
            found = (event for event in reader.events(kind) if turn is None or event["turn"] == turn)
            return next(found, None)

        event: Event = self.wait(look, seconds)
        return event

    def longest_silence(self) -> float:
        """The longest time between two arrivals."""
        times = [at for at, _ in self.arrivals]
        return max((later - at for at, later in itertools.pairwise(times)), default=0.0)

    def describe(self) -> str:
        log = self.log
        return (
            f"{self._what}: cursor {log.gen}.{log.seq}, {len(log.rows)} rows, live {self.is_live}, "
            f"{self.connects} connects, complaints {log.complaints}, state {self.state.get('session')}"
        )

    # --- its thread -----------------------------------------------------------------------------------

    def _follow(self) -> None:
        while not self._ended.is_set():
            try:
                with connect(
                    f"{self._url}?after={self.log.gen}.{self.log.seq}",
                    additional_headers=self._headers,
                    compression=None,
                    open_timeout=10,
                    close_timeout=1,
                    max_size=None,
                ) as connection:
                    self.connects += 1
                    self._connection = connection
                    self._read(connection)
            except (OSError, WebSocketException, TimeoutError):
                pass
            self.is_live = False
            longest = min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**self._failures)
            self._failures += 1
            self._ended.wait(longest * (0.6 + 0.4 * random.random()))

    def _read(self, connection: ClientConnection) -> None:
        """One connection, until it ends or has to be made again."""
        heard_at = time.monotonic()
        while not self._ended.is_set():
            try:
                message = json.loads(connection.recv(timeout=ACK_SECONDS))
            except TimeoutError:
                message = None
            except ConnectionClosed:
                return
            if message is not None:
                heard_at = time.monotonic()
                if not self._take(message):
                    return
            elif time.monotonic() - heard_at > SILENT_SECONDS:
                return
            self._acknowledge(connection)

    def _take(self, message: dict[str, Any]) -> bool:
        match message["type"]:
            case "hello" | "state":
                self._take_state(message["state"])
            case "live":
                self.is_live = True
                self._failures = 0
            case "events":
                self._unacknowledged += len(message["events"])
                return self._take_events(message["events"])
        return True

    def _take_events(self, events: list[Event]) -> bool:
        with self._lock:
            self.arrivals.append((time.monotonic(), events[-1]["seq"]))
            return all(self.log.take(event, live=self.is_live) for event in events)

    def _take_state(self, state: dict[str, Any]) -> None:
        if state["version"] >= self.state.get("version", 0):
            self.state = state
            if self.statuses[-1:] != [state["session"]["status"]]:
                self.statuses.append(state["session"]["status"])

    def _acknowledge(self, connection: ClientConnection) -> None:
        now = time.monotonic()
        late = now - self._acknowledged_at >= ACK_SECONDS
        if self._unacknowledged >= ACK_EVENTS or (self._unacknowledged and late):
            self._unacknowledged, self._acknowledged_at = 0, now
            connection.send(json.dumps({"type": "ack", "seq": max(self.log.seq, self.log.covered)}))
