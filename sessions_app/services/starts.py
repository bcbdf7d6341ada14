"""How long the latest starts of instances took, stage by stage."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple

from sessions_app.models import Instance

LATEST = 500
"""As many starts are looked at."""


class Times(NamedTuple):
    """The starts of one agent on one driver that came to a stage; in seconds since they were asked for."""

    driver: str
    agent: str
    stage: str
    starts: int
    median: float
    p95: float


def summary() -> list[Times]:
    """Of the latest instances that became ready: each driver's and agent's stages, in their order."""
    ready = Instance.objects.filter(ready_at__isnull=False).order_by("-ready_at")
    rows = ready.values_list("driver", "session__agent", "stages")[:LATEST]
    seconds: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for driver, agent, stages in rows:
        for name, since in list(passed(stages).items())[1:]:
            seconds[driver, agent][name].append(since)
    return [
        Times(driver, agent, stage, len(times), statistics.median(times), _p95(times))
        for (driver, agent), stages in sorted(seconds.items())
        for stage, times in sorted(stages.items(), key=lambda entry: statistics.median(entry[1]))
    ]


def passed(stages: list[dict[str, Any]]) -> dict[str, float]:
    """Seconds from the first stage to each, in the order in which they were told.

    The host's clock may be set meanwhile: none is before the first.
    """
    at = {stage["name"]: datetime.fromisoformat(stage["at"]) for stage in stages}
    begun = next(iter(at.values()), None)
    return {name: max(0.0, (when - begun).total_seconds()) for name, when in at.items() if begun}


def _p95(times: list[float]) -> float:
    """By the nearest rank: a time that was really measured."""
    return sorted(times)[math.ceil(0.95 * len(times)) - 1]
