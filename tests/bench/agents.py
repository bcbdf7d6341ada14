"""What each installed agent takes, of time and of memory, on the `process` driver with the demo model."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import figures
from tests.bench import starting
from tests.end_to_end.client import Client, eventually, first_run
from tests.product import running

STEADY_SECONDS = 5.0
"""How long an agent is left alone before its memory is looked at."""
_MARK = b"XDG_STATE_HOME=/home/agent/.local/state"
"""What the environment of every process has that belongs to an agent in a box."""


@dataclass
class Taken:
    """By one agent; seconds, and MB of proportional share (PSS) of all of its processes."""

    name: str
    version: str
    ready: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    second: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    used: list[float] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        seconds = (f"{statistics.median(times):.2f}" for times in (self.ready, self.first, self.second))
        memory = (f"{statistics.median(sizes):.0f}" for sizes in (self.idle, self.used))
        return (self.name, self.version, *seconds, *memory, str(len(self.ready)))


def measure(count: int) -> list[Taken]:
    """`count` sessions of each agent that is installed, one after the other."""
    found = []
    with running() as product:
        client = first_run(product.url)
        for agent in client.get("/agents/")["results"]:
            if agent["is_installed"]:
                print(f"Agents: {count} sessions with {agent['name']}")
                found.append(_measure(client, agent, count))
        client.close()
    return found


def table(found: list[Taken]) -> list[str]:
    """Medians, a line for each agent."""
    head = [
        *("agent", "version", "create to ready, s", "first word of the first prompt, s"),
        *("of the second, s", "memory idle, MB", "after two turns, MB", "sessions"),
    ]
    return figures.table(head, [taken.row() for taken in found])


def _measure(client: Client, agent: dict[str, Any], count: int) -> Taken:
    taken = Taken(agent["name"], agent["version"])
    for _ in range(count):
        session = client.new_session(agent=agent["id"], mode="auto")
        taken.ready.append(starting.until_ready(client, session))
        taken.idle.append(_memory_mb(session))
        taken.first.append(starting.until_text(client, session))
        taken.second.append(starting.until_text(client, session))
        taken.used.append(_memory_mb(session))
        starting.put_to_sleep(client, session)
        _wait_for_end(session)
    return taken


def _memory_mb(session: str) -> float:
    time.sleep(STEADY_SECONDS)
    return sum(figures.pss_mb(number) for number in _processes(session))


def _wait_for_end(session: str) -> None:
    eventually(lambda: not _processes(session), 30, lambda: f"still there: {_processes(session)}")


def _processes(session: str) -> list[int]:
    """Those of the agent in this session's box, which is the only one that has its disk."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [
        number
        for number in numbers
        if _MARK in _read(number, "environ") and session.encode() in _read(number, "mountinfo")
    ]


def _read(number: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{number}/{name}").read_bytes()
    except OSError:
        return b""
