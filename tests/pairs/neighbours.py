"""What a box that does its worst costs another session: the time that events are on their way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests import figures
from tests.end_to_end.client import eventually
from tests.end_to_end.turns import check_answered, check_shown
from tests.pairs.place import Place, Watch

PROMPT = "/demo long 400 20ms"
HOG = "while :; do python3 -c 'x = []\nwhile True: x.append(bytearray(1 << 20))'; done"
WRITE = "while :; do dd if=/dev/zero of=/workspace/big bs=1M count=10240; done"
MANY = 200


@dataclass(frozen=True)
class Noise:
    """A shell's script, and how its box is known to be in the midst of it, by its commands."""

    name: str
    script: str
    is_on: Callable[[list[str]], bool]
    needs_bounded_disk: bool = False


NOISES = (
    Noise(
        "a busy loop", "for i in $(seq 16); do while :; do :; done & done; wait", lambda seen: len(seen) > 16
    ),
    Noise("a memory hog", HOG, lambda seen: any("bytearray" in each for each in seen)),
    Noise("a fork bomb", "bomb() { bomb | bomb & }; bomb; sleep 600", lambda seen: len(seen) > MANY),
    Noise("a write of 10 GB", WRITE, lambda seen: any("count=10240" in each for each in seen), True),
)


@dataclass(frozen=True)
class Beside:
    """Milliseconds beside a noise, and in the quiet just before and after it; how its session stood then."""

    noise: str
    quiet: list[float]
    noisy: list[float]
    became: str

    @property
    def most_ms(self) -> float:
        """What the p95 may be."""
        quiet = figures.percentile(self.quiet, 0.95)
        return max(2 * quiet, quiet + 20)

    def is_met(self) -> bool:
        return figures.percentile(self.noisy, 0.95) <= self.most_ms

    def row(self) -> tuple[str, ...]:
        verdict = f"<= {self.most_ms:.1f}: {'met' if self.is_met() else 'MISSED'}"
        return self.noise, _spread(self.quiet), _spread(self.noisy), verdict, self.became


@dataclass
class Neighbours:
    """What was seen, and what this host cannot show."""

    beside: list[Beside] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def is_well(self) -> bool:
        return all(each.is_met() for each in self.beside)

    def table(self) -> list[str]:
        rows = [each.row() for each in self.beside]
        rows += [(name, "", "", "", "not tried: disks have no bound here") for name in self.left_out]
        head = [
            "what a neighbour does",
            "quiet p50 / p95, ms",
            "beside it",
            "goal for p95",
            "its own session",
        ]
        return figures.table(head, rows)


def measure(place: Place) -> Neighbours:
    """A stream in one session, in turns without and with a noise in another one.

    AssertionError when the quiet session notices more of it than the time.
    """
    found = Neighbours()
    quiet = place.session()
    with Watch(place.client, quiet) as watch:
        before = _stream(place, quiet, watch)
        for noise in NOISES:
            if noise.needs_bounded_disk and not place.mounts():
                found.left_out.append(noise.name)
                continue
            noisy = place.session()
            place.client.post(f"/sessions/{noisy}/start/")
            place.client.status(noisy, "ready")
            box = place.box(noisy)
            terminal = {"command": ["bash", "-c", noise.script], "rows": 24, "cols": 80}
            place.client.post(f"/sessions/{noisy}/terminals/", terminal)
            _until_on(place, noise, box)
            beside = _stream(place, quiet, watch)
            _until_on(place, noise, box)
            became = place.client.session(noisy)["status"]
            place.client.post(f"/sessions/{noisy}/stop/")
            place.client.status(noisy, "asleep", seconds=60)
            after = _stream(place, quiet, watch)
            found.beside.append(Beside(noise.name, before + after, beside, became))
            before = after
        check_shown(place.client, watch, quiet)
        assert not watch.log.complaints, watch.describe()
    place.client.post(f"/sessions/{quiet}/stop/")
    return found


def _until_on(place: Place, noise: Noise, box: str) -> None:
    """It is in the midst of it; what is ended again and again comes back in a moment."""
    eventually(
        lambda: noise.is_on([command for _, command in place.processes(box)]),
        60,
        lambda: f"there is no {noise.name} in {place.processes(box)}",
    )


def _stream(place: Place, session: str, watch: Watch) -> list[float]:
    """The latencies of one turn, which is answered as ever."""
    before = len(watch.latencies_ms)
    turn = place.client.prompt(session, PROMPT)
    watch.wait_for_event("turn.ended", turn)
    found = watch.latencies_ms[before:]
    check_answered(place.client, session, PROMPT, turn)
    return found


def _spread(values: list[float]) -> str:
    return f"{figures.percentile(values, 0.5):.1f} / {figures.percentile(values, 0.95):.1f}"
