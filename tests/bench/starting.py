"""From "create a session" to "the agent is ready" and to its first words, on the process driver."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests import figures
from tests.end_to_end.client import Client, eventually, first_run
from tests.end_to_end.pool import wait_for_member
from tests.product import Product

FIRST_TEXT_SECONDS = 60.0
READY_SECONDS = 60.0


@dataclass
class Starts:
    """Seconds for each session that was started."""

    ready: list[float] = field(default_factory=list)
    first_text: list[float] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)
    claimed: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)

    def table(self) -> list[str]:
        """Median and slowest of each."""
        rows = [("create to ready", self.ready), ("prompt to first text", self.first_text)]
        rows.append(("resume to ready", self.resumed))
        rows.append(("claim of the pool to ready", self.claimed))
        rows += [(f"sidecar's clock at {name}", times) for name, times in self.stages.items()]
        return figures.table(
            ["starting, seconds", "median", "slowest", "starts"],
            [
                (name, f"{statistics.median(times):.2f}", f"{max(times):.2f}", str(len(times)))
                for name, times in rows
            ],
        )


def measure(product: Product, count: int) -> Starts:
    """Starts `count` sessions one after the other, prompts, stops and resumes each."""
    starts = Starts()
    client = first_run(product.url)
    try:
        for _ in range(count):
            _measure_one(client, starts)
    finally:
        client.close()
    return starts


def measure_claims(product: Product, count: int, starts: Starts) -> None:
    """Creates `count` sessions, each when a member of the pool waits for it."""
    client = first_run(product.url)
    try:
        for _ in range(count):
            wait_for_member(product.url)
            session = client.new_session(mode="auto")
            starts.claimed.append(_until_ready(client, session))
            client.post(f"/sessions/{session}/stop/")
            client.status(session, "asleep")
    finally:
        client.close()


def _until_ready(client: Client, session: str) -> float:
    """Starts it; seconds until a browser that watches is told that it is ready."""
    url = f"{client.url.replace('http', 'ws', 1)}/ws/sessions/{session}/"
    with connect(url, additional_headers={"authorization": f"Bearer {client.token}"}) as socket:
        _read_until(socket, lambda message: message["type"] == "live")
        begin = time.monotonic()
        client.post(f"/sessions/{session}/start/")
        _read_until(
            socket,
            lambda message: message["type"] == "state" and message["state"]["session"]["status"] == "ready",
        )
        return time.monotonic() - begin


def _read_until(socket: ClientConnection, is_it: Callable[[dict[str, Any]], bool]) -> None:
    while not is_it(json.loads(socket.recv(timeout=READY_SECONDS))):
        pass


def _measure_one(client: Client, starts: Starts) -> None:
    begin = time.monotonic()
    session = client.new_session(mode="auto")
    client.post(f"/sessions/{session}/start/")
    ready = client.status(session, "ready")
    starts.ready.append(time.monotonic() - begin)
    for stage in ready["instance"]["stages"]:
        if stage["elapsed_ms"] is not None:
            starts.stages.setdefault(stage["name"], []).append(stage["elapsed_ms"] / 1000)
    begin = time.monotonic()
    turn = client.prompt(session, "/demo plain")
    eventually(
        lambda: (found := client.turn(session, turn)) and found["items"],
        FIRST_TEXT_SECONDS,
        lambda: "no text came",
    )
    starts.first_text.append(time.monotonic() - begin)
    client.ended(session, turn)
    client.post(f"/sessions/{session}/stop/")
    client.status(session, "asleep")
    begin = time.monotonic()
    client.post(f"/sessions/{session}/start/")
    client.status(session, "ready")
    starts.resumed.append(time.monotonic() - begin)
    client.post(f"/sessions/{session}/stop/")
    client.status(session, "asleep")
