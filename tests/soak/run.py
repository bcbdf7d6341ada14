"""A whole soak: many sessions under a nemesis, trials of single faults, a few real ones under a nemesis."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeVar

from tests.soak import checks, habitat, report, sleep, trials
from tests.soak.habitat import Habitat
from tests.soak.nemesis import Nemesis
from tests.soak.trials import Outcome

FULL_MINUTES = 12.0
CUTS, KILLS, SLEEPS = 20, 100, 200
T = TypeVar("T")


@dataclass
class Soak:
    """What is wanted, and what was seen so far."""

    seed: int
    minutes: float
    sessions: int
    opencode: int
    verdict: checks.Verdict = field(default_factory=checks.Verdict)
    nemeses: list[Nemesis] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)

    @property
    def share(self) -> float:
        """Of the trials of a full run, how much of them fits into this one."""
        return min(1.0, self.minutes / FULL_MINUTES)

    def times(self, full: int) -> int:
        return max(4, round(full * self.share))

    def run(self) -> None:
        if self.sessions:
            place = habitat.many(sessions=self.sessions, seed=self.seed)
            self._in(place, self.minutes * 60 * 0.35, self._try)
        if self.opencode:
            place = habitat.few(sessions=self.opencode, seed=self.seed)
            self._in(place, self.minutes * 60 * 0.25, lambda _: None)

    def _in(
        self,
        place: AbstractContextManager[Habitat],
        seconds: float,
        then: Callable[[Habitat], None],
    ) -> None:
        with place as found:
            report.tell(f"{found.name}: {len(found.inhabitants)} sessions, faults for {seconds:.0f} s")
            nemesis = Nemesis(found, self.seed)
            self.nemeses.append(nemesis)
            try:
                for inhabitant in found.inhabitants:
                    inhabitant.begin()
                nemesis.rage(seconds)
                checks.become_calm(found)
                then(found)
                checks.become_calm(found)
                report.tell(f"{found.name}: checks")
                self.verdict.add(checks.check(found))
            finally:
                report.keep(found)

    def _try(self, found: Habitat) -> None:
        chance = random.Random(self.seed)
        self._trial("the link is cut in mid-stream", lambda: trials.cut_link(found, times=self.times(CUTS)))
        self._trial(
            "a sidecar is killed while its agent counts",
            lambda: trials.kill_sidecars(found, times=self.times(KILLS), seed=chance.getrandbits(32)),
        )
        self._trial(
            "a prompt lands within 50 ms of the reaper",
            lambda: sleep.meet_the_reaper(found, times=self.times(SLEEPS), seed=chance.getrandbits(32)),
        )

    def _trial(self, name: str, run: Callable[[], Outcome]) -> None:
        report.tell(name)
        self.outcomes[name] = run()


def main(arguments: list[str] | None = None) -> int:
    """0 when every invariant held."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--minutes", type=float, default=FULL_MINUTES, help="about how long it takes")
    parser.add_argument("--sessions", type=int, default=20, help="with fake sidecars; 0 leaves them out")
    parser.add_argument("--opencode", type=int, default=2, help="sessions with OpenCode; 0 leaves them out")
    options = parser.parse_args(arguments)
    report.tell(f"seed {options.seed}")
    soak = Soak(options.seed, options.minutes, options.sessions, options.opencode)
    soak.run()
    return report.write(soak)
