"""Many real pairs at once: all start, stream, doze, wake, sleep and are deleted, and nothing is left."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests import figures
from tests.end_to_end.client import Client, eventually
from tests.end_to_end.turns import check_answered, check_shown
from tests.pairs.place import DAY_PASSES, Place, Watch

PROMPT = "/demo long 100 200ms"
WAKING = "/demo plain"
DOZE_PASSES = 5
RESTS = "The agent rests; the next prompt starts it."
AT_ONCE = 8
MOST_MB = 60.0
SECONDS = 900.0
T = TypeVar("T")

_HEALTH = "-m sidecar.health"


@dataclass
class Crowd:
    """What was seen; memory in MB for each pair, by the host's own account of its processes."""

    pairs: int
    start_seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    events: int = 0
    with_agent_mb: list[float] = field(default_factory=list)
    idle_mb: list[float] = field(default_factory=list)
    host_mb: float = 0.0
    wrong: Counter[str] = field(default_factory=Counter)

    def table(self) -> list[str]:
        idle = statistics.median(self.idle_mb)
        verdict = "met" if idle <= MOST_MB else "MISSED"
        rows = [
            ("pairs live at once", str(self.pairs), ""),
            ("starts per second", f"{self.pairs / self.start_seconds:.2f}", ""),
            ("events shown while all stream", str(self.events), ""),
            ("latency of those p50 / p95, ms", self._latency(), ""),
            ("a pair with its agent, PSS in MB", f"{statistics.median(self.with_agent_mb):.1f}", ""),
            ("an idle pair without it, PSS in MB", f"{idle:.1f}", f"<= {MOST_MB:.0f}: {verdict}"),
            ("the same by what the host has less", f"{self.host_mb:.1f}", ""),
            *(
                (name, str(count), "0: " + ("MISSED" if count else "met"))
                for name, count in self.wrong.items()
            ),
        ]
        return figures.table(["crowd", "measured", "goal"], rows)

    def is_well(self) -> bool:
        return not self.wrong.total() and statistics.median(self.idle_mb) <= MOST_MB

    def _latency(self) -> str:
        both = (figures.percentile(self.latencies_ms, share) for share in (0.5, 0.95))
        return " / ".join(f"{each:.0f}" for each in both)


def measure(place: Place, pairs: int) -> Crowd:
    """AssertionError when a session does not do what it must."""
    crowd = Crowd(pairs)
    sessions = [place.session() for _ in range(pairs)]
    free = _free_mb()
    _start(place, crowd, sessions)
    _stream(place, crowd, sessions)
    crowd.with_agent_mb = _memory(place, sessions)
    place.reap(sessions, passes=DOZE_PASSES)
    _each(lambda session: _until_it_rests(place.client, session), sessions)
    crowd.idle_mb = _memory(place, sessions)
    crowd.host_mb = (free - _free_mb()) / pairs
    _wake(place, sessions[::10])
    _fall_asleep(place, crowd, sessions)
    _delete(place, crowd, sessions)
    return crowd


def _start(place: Place, crowd: Crowd, sessions: list[str]) -> None:
    begin = time.monotonic()
    _each(lambda session: place.client.post(f"/sessions/{session}/start/"), sessions)
    for session in sessions:
        place.client.status(session, "ready", seconds=SECONDS)
    crowd.start_seconds = time.monotonic() - begin


def _stream(place: Place, crowd: Crowd, sessions: list[str]) -> None:
    """All of them at the same time; what is shown is what is stored, and that is what the agent said."""
    with ExitStack() as stack:
        watches = [stack.enter_context(Watch(place.client, session)) for session in sessions]
        for watch in watches:
            watch.wait(lambda watch: watch.is_live)
        turns = _each(lambda session: place.client.prompt(session, PROMPT), sessions)
        for watch, turn in zip(watches, turns, strict=True):
            watch.wait_for_event("turn.ended", turn, SECONDS)
        for watch, session, turn in zip(watches, sessions, turns, strict=True):
            check_answered(place.client, session, PROMPT, turn)
            check_shown(place.client, watch, session)
            crowd.wrong["gaps and repeats shown"] += len(watch.log.complaints)
            crowd.events += len(watch.log.rows)
            crowd.latencies_ms += watch.latencies_ms


def _until_it_rests(client: Client, session: str) -> None:
    eventually(
        lambda: client.session(session)["status_detail"] == RESTS,
        SECONDS,
        lambda: f"its agent does not rest: {client.session(session)}",
    )


def _wake(place: Place, sessions: list[str]) -> None:
    """A prompt starts the agent again."""
    for session in sessions:
        check_answered(place.client, session, WAKING, place.client.prompt(session, WAKING))


def _fall_asleep(place: Place, crowd: Crowd, sessions: list[str]) -> None:
    crowd.wrong["not put to sleep"] += len(sessions) - place.reap(sessions, passes=DAY_PASSES)
    for session in sessions:
        place.client.status(session, "asleep", seconds=SECONDS)
    eventually(lambda: not place.containers(), 60, lambda: f"left: {place.containers()}")
    eventually(lambda: not place.mounts(), 60, lambda: f"still mounted: {place.mounts()}")
    crowd.wrong["volumes without an owner"] += len(set(place.volumes()) - set(sessions))


def _delete(place: Place, crowd: Crowd, sessions: list[str]) -> None:
    _each(lambda session: place.client.call("DELETE", f"/sessions/{session}/"), sessions)
    eventually(lambda: not place.volumes(), SECONDS, lambda: f"left: {place.volumes()}")
    crowd.wrong["containers left"] += len(place.containers())


def _memory(place: Place, sessions: list[str]) -> list[float]:
    """What the processes of each pair take; pages that several share are divided among them."""
    found = []
    for session in sessions:
        instance = place.client.session(session)["instance"]["id"]
        processes = [process for each in place.containers(instance) for process in place.processes(each)]
        # The engine's look at a sidecar's health comes and goes.
        found.append(sum(figures.pss_mb(number) for number, command in processes if _HEALTH not in command))
    return found


def _free_mb() -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) / 1024


def _each(work: Callable[[str], T], sessions: Iterable[str]) -> list[T]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, sessions))
