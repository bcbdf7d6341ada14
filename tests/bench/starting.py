"""From "create a session" to "the agent is ready" and to its first words, stage by stage, on one driver."""

from __future__ import annotations

import itertools
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
from tests.product import Product, running

FIRST_TEXT_SECONDS = 60.0
READY_SECONDS = 60.0
MOST_CLAIM_SECONDS = 0.3
MOST_START_SECONDS = 6.0
MOST_OTHER_SECONDS = 1.5
Goal = tuple[str, str, str, bool]


@dataclass
class Kind:
    """Starts of one kind; seconds for each, of all of it and of each of its stages."""

    whole: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)

    def add(self, whole: float, instance: dict[str, Any]) -> None:
        """A stage's time is from the one that was reached before it."""
        self.whole.append(whole)
        reached = sorted(instance["stages"], key=lambda stage: stage["elapsed_ms"])
        for before, stage in itertools.pairwise(reached):
            took = (stage["elapsed_ms"] - before["elapsed_ms"]) / 1000
            self.stages.setdefault(stage["name"], []).append(took)

    def others(self) -> list[float]:
        """All but the agent's own start."""
        return [whole - agent for whole, agent in zip(self.whole, self.stages["agent"], strict=True)]


@dataclass
class Starts:
    """Of one driver."""

    driver: str
    cold: Kind = field(default_factory=Kind)
    resumed: Kind = field(default_factory=Kind)
    first_text: list[float] = field(default_factory=list)
    claimed: list[float] = field(default_factory=list)

    def table(self) -> list[str]:
        rows = [("claim of the pool to ready", self.claimed)]
        for name, kind in (("create to ready", self.cold), ("resume to ready", self.resumed)):
            rows.append((name, kind.whole))
            rows += [(f"- {stage}", times) for stage, times in kind.stages.items()]
            rows.append(("- all but the agent", kind.others()))
        rows.append(("prompt to first text", self.first_text))
        return figures.table(
            [f"starting on `{self.driver}`, seconds", "median", "p95", "starts"],
            [
                (
                    name,
                    f"{statistics.median(times):.2f}",
                    f"{figures.percentile(times, 0.95):.2f}",
                    str(len(times)),
                )
                for name, times in rows
            ],
        )

    def goals(self) -> list[Goal]:
        """What is promised of medians: its name, the measured value, the goal, and whether it is met."""
        promised = (
            ("claim to ready", self.claimed, MOST_CLAIM_SECONDS),
            ("cold start to ready", self.cold.whole, MOST_START_SECONDS),
            ("resume to ready", self.resumed.whole, MOST_START_SECONDS),
            ("cold start but the agent's own", self.cold.others(), MOST_OTHER_SECONDS),
            ("resume but the agent's own", self.resumed.others(), MOST_OTHER_SECONDS),
        )
        return [
            (f"{name} on `{self.driver}`, s", f"{statistics.median(times):.2f}", f"<= {most}", is_met)
            for name, times, most in promised
            for is_met in (statistics.median(times) <= most,)
        ]


def measure(make: type[Product], driver: str, count: int) -> Starts:
    """Starts `count` sessions one after the other, prompts, stops and resumes each; then as many claims."""
    starts = Starts(driver)
    with running(make=make) as product:
        client = first_run(product.url)
        for _ in range(count):
            _measure_one(client, starts)
        client.close()
    with running(make=make, OPENAGENT_POOL="opencode=1") as product:
        client = first_run(product.url)
        for _ in range(count):
            wait_for_member(product.url)
            session = client.new_session(mode="auto")
            starts.claimed.append(until_ready(client, session))
            put_to_sleep(client, session)
        client.close()
    return starts


def _measure_one(client: Client, starts: Starts) -> None:
    session = client.new_session(mode="auto")
    _start(client, session, starts.cold)
    starts.first_text.append(until_text(client, session))
    put_to_sleep(client, session)
    _start(client, session, starts.resumed)
    put_to_sleep(client, session)


def _start(client: Client, session: str, kind: Kind) -> None:
    took = until_ready(client, session)
    kind.add(took, client.session(session)["instance"])


def until_text(client: Client, session: str) -> float:
    """Has a turn; seconds from its prompt to its first words."""
    begin = time.monotonic()
    turn = client.prompt(session, "/demo plain")
    eventually(
        lambda: (found := client.turn(session, turn)) and found["items"],
        FIRST_TEXT_SECONDS,
        lambda: "no text came",
    )
    took = time.monotonic() - begin
    client.ended(session, turn)
    return took


def put_to_sleep(client: Client, session: str) -> None:
    """Stops it, and waits until it has."""
    client.post(f"/sessions/{session}/stop/")
    client.status(session, "asleep")


def until_ready(client: Client, session: str) -> float:
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
