"""Trials of one fault, often: the link is cut in mid-stream, sidecars are killed while their agents count."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sidecar import segments
from tests.end_to_end.client import eventually, texts
from tests.soak import wishes
from tests.soak.habitat import Habitat
from tests.soak.inhabitant import Asked, Inhabitant

AT_ONCE = 4
ENDLESS = wishes.counted(50_000, 4)
RETURN_SECONDS = 10.0


@dataclass
class Outcome:
    """How many trials there were, what was wrong, and how long each took to be noticed where that matters."""

    trials: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    note: str = ""


def cut_link(habitat: Habitat, *, times: int) -> Outcome:
    """Every session streams while the link of all is cut again and again: every answer arrives whole."""
    outcome = Outcome(trials=times)
    wish = wishes.counted(60 * times, 5)
    asked = [(each, each.ask(wish)) for each in habitat.inhabitants[:AT_ONCE]]
    for inhabitant, turn in asked:
        assert turn is not None
        inhabitant.reader.wait_for_text(turn.turn, 20)
    for _ in range(times):
        before = habitat.rig.link.accepted
        habitat.rig.link.cut()
        eventually(
            lambda before=before: habitat.rig.link.accepted > before,  # type: ignore[misc]
            RETURN_SECONDS,
            lambda: "no sidecar came back",
        )
        time.sleep(0.15)
    for inhabitant, turn in asked:
        assert turn is not None
        ended = inhabitant.client.ended(inhabitant.session, turn.turn, 90)
        if texts(ended) != wish.expected or ended["stop_reason"] != "end_turn":
            outcome.wrong.append(f"{inhabitant.session}: {ended['stop_reason']}, {texts(ended)[-40:]!r}")
    return outcome


def kill_sidecars(habitat: Habitat, *, times: int, seed: int) -> Outcome:
    """Sidecars are killed at any moment while their agents count, half of them with much that nobody has.

    What the log has in the end is what the journal had when the process died: nothing is missing of it, and
    nothing is there twice.
    """
    outcome, chance = Outcome(), random.Random(seed)
    people = habitat.inhabitants[:AT_ONCE]
    journaled: list[tuple[Inhabitant, Asked, int]] = []
    unheard = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while outcome.trials < times:
            chosen = people[: min(AT_ONCE, times - outcome.trials)]
            turns = list(pool.map(_begin_counting, chosen))
            in_silence = chance.random() < 0.5
            unheard += len(chosen) if in_silence else 0
            at = _kill(habitat, chosen, chance, in_silence=in_silence)
            for inhabitant, asked in zip(chosen, turns, strict=True):
                journaled.append((inhabitant, asked, _counted_to(habitat, inhabitant, asked)))
            habitat.rig.link.cut()
            habitat.rig.link.release()
            for inhabitant, asked in zip(chosen, turns, strict=True):
                inhabitant.reader.wait_for_event("turn.ended", asked.turn, 90)
                outcome.seconds.append(time.monotonic() - at)
            outcome.trials += len(chosen)
    for inhabitant in people:
        # The last ones still have to be told of by a successor.
        last = inhabitant.ask(wishes.counted(1, 1))
        assert last is not None
        inhabitant.client.ended(inhabitant.session, last.turn, 90)
    for inhabitant, asked, length in journaled:
        said = texts(inhabitant.client.turn(inhabitant.session, asked.turn))
        if not asked.wish.expected.startswith(said) or (length and len(said) != length):
            outcome.wrong.append(f"{inhabitant.session}: journaled {length}, stored {len(said)}")
    outcome.note = f"{unheard} of them while nothing reached the platform"
    return outcome


def _begin_counting(inhabitant: Inhabitant) -> Asked:
    asked = inhabitant.ask(ENDLESS)
    assert asked is not None, inhabitant.problems
    inhabitant.reader.wait_for_text(asked.turn, 10, 90)
    return asked


def _kill(habitat: Habitat, chosen: list[Inhabitant], chance: random.Random, *, in_silence: bool) -> float:
    """Kill the sidecars of these sessions; when it was done. They are dead then."""
    if in_silence:
        habitat.rig.link.hold()
    time.sleep(chance.uniform(0.0, 0.5))
    victims = habitat.victims("sidecar")
    for inhabitant in chosen:
        os.kill(victims[inhabitant.session], signal.SIGKILL)
    at = time.monotonic()
    eventually(
        lambda: not {each.session for each in chosen} & habitat.victims("sidecar").keys(),
        10,
        lambda: "they do not die",
    )
    return at


def _counted_to(habitat: Habitat, inhabitant: Inhabitant, asked: Asked) -> int:
    """How long the answer is up to the last event of the journal; 0 when nothing of it is left there."""
    length = 0
    folder = habitat.journal(inhabitant.session)
    for name in segments.names(folder):
        for _, raw in segments.read(folder / str(name)).events:
            event = json.loads(raw)
            if event["turn"] == asked.turn and event["kind"] == "message.delta":
                length = max(length, event["data"]["offset"] + len(event["data"]["text"]))
    return length
