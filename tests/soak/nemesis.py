"""Picks a fault every few seconds: seeded, so that the same ones come in the same order again."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.soak.habitat import Habitat

Fault = Callable[[Habitat, random.Random], str]

CALM_SECONDS = (0.5, 4.0)


@dataclass
class Nemesis:
    """`done` says what was done and when, in seconds after its beginning."""

    habitat: Habitat
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    done: list[str] = field(default_factory=list)

    def rage(self, seconds: float) -> None:
        """Break things until the time is over, and then let everything heal."""
        chance = random.Random(self.seed)
        begun = time.monotonic()
        faults = faults_of(self.habitat)
        while time.monotonic() - begun < seconds:
            time.sleep(chance.uniform(*CALM_SECONDS))
            name = chance.choice(sorted(faults))
            at = time.monotonic() - begun
            said = faults[name](self.habitat, random.Random(chance.random()))
            self.counts[name] += bool(said)
            self.done.append(f"{at:7.1f} s  {name}: {said or 'nothing was there to be broken'}")
        self.habitat.rig.link.release()
        self.habitat.rig.wait_until_whole(60)


def faults_of(habitat: Habitat) -> dict[str, Fault]:
    """Everything that can be done to this habitat, by name."""
    faults: dict[str, Fault] = {
        f"{part} killed": _killer(part) for part in ("web", "worker", "beat", "redis")
    }
    faults |= {f"{half} killed": _taker(half) for half in habitat.halves}
    return faults | {
        "redis stopped": _stop_redis,
        "link cut": _cut_link,
        "link silent": _silence_link,
        "browsers cut": _cut_browsers,
    }


def _killer(part: str) -> Fault:
    def kill(habitat: Habitat, chance: random.Random) -> str:
        pid = habitat.rig.product.part(part)
        if pid is None:
            return ""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return f"process {pid}"

    return kill


def _taker(half: str) -> Fault:
    def take(habitat: Habitat, chance: random.Random) -> str:
        living = sorted(habitat.victims(half).items())
        chosen = chance.sample(living, min(len(living), chance.randint(1, max(1, len(living) // 4))))
        # A fake sidecar is told to find that its box has ended.
        number = signal.SIGUSR1 if half == "box" and habitat.name == "many" else signal.SIGKILL
        for _, pid in chosen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return ", ".join(session for session, _ in chosen)

    return take


def _stop_redis(habitat: Habitat, chance: random.Random) -> str:
    if habitat.rig.product.part("redis") is None:
        return ""
    seconds = chance.uniform(1.0, 8.0)
    with habitat.rig.stopped("redis", seconds):
        pass
    return f"for {seconds:.1f} s"


def _cut_link(habitat: Habitat, chance: random.Random) -> str:
    times = chance.randint(1, 4)
    for _ in range(times):
        habitat.rig.link.cut()
        time.sleep(chance.uniform(0.0, 0.4))
    return f"{times} times"


def _silence_link(habitat: Habitat, chance: random.Random) -> str:
    """Connections stay open and nothing passes; then it passes again, or they break."""
    seconds, breaks = chance.uniform(0.5, 9.0), chance.random() < 0.5
    habitat.rig.link.hold()
    try:
        time.sleep(seconds)
    finally:
        if breaks:
            habitat.rig.link.cut()
        habitat.rig.link.release()
    return f"for {seconds:.1f} s{', then cut' if breaks else ''}"


def _cut_browsers(habitat: Habitat, chance: random.Random) -> str:
    chosen = chance.sample(habitat.inhabitants, max(1, len(habitat.inhabitants) // 2))
    for inhabitant in chosen:
        inhabitant.reader.cut()
    return f"{len(chosen)} of {len(habitat.inhabitants)}"
