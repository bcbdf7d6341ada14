"""Prompts that land within 50 ms of the reaper's decision: each has exactly one answer."""

from __future__ import annotations

import json
import random
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from tests.end_to_end.client import texts
from tests.soak import wishes
from tests.soak.habitat import Habitat
from tests.soak.inhabitant import Asked, Inhabitant
from tests.soak.trials import Outcome

AT_ONCE = 4
AROUND_SECONDS = 0.05
LEAD_SECONDS = 0.25


def meet_the_reaper(habitat: Habitat, *, times: int, seed: int) -> Outcome:
    """Several sessions at once are idle, the reaper comes at an agreed moment, and so do their prompts."""
    outcome, chance = Outcome(), random.Random(seed)
    people = habitat.inhabitants[:AT_ONCE]
    reaper = habitat.rig.product.python("-m", "tests.soak.reaper")
    reaped = 0
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while outcome.trials < times:
                chosen = people[: min(AT_ONCE, times - outcome.trials)]
                reaped += _round(chosen, reaper, pool, chance, outcome)
                outcome.trials += len(chosen)
    finally:
        reaper.communicate()
    outcome.note = f"the reaper was first {reaped} times, the prompt {outcome.trials - reaped} times"
    if not 0 < reaped < outcome.trials:
        outcome.wrong.append(f"no race: {outcome.note}")
    return outcome


def _round(
    chosen: list[Inhabitant],
    reaper: subprocess.Popen[str],
    pool: ThreadPoolExecutor,
    chance: random.Random,
    outcome: Outcome,
) -> int:
    """One decision and a prompt for each session around it; how many the reaper put to sleep."""
    for inhabitant in chosen:
        _awake(inhabitant)
    assert reaper.stdin is not None and reaper.stdout is not None
    at = time.monotonic() + LEAD_SECONDS
    sessions = [inhabitant.session for inhabitant in chosen]
    reaper.stdin.write(json.dumps({"sessions": sessions, "at": at}) + "\n")
    reaper.stdin.flush()
    moments = [at + chance.uniform(-AROUND_SECONDS, AROUND_SECONDS) for _ in chosen]
    wished = [wishes.of_a_fake(chance) for _ in chosen]
    sent = list(pool.map(_ask_at, chosen, moments, wished))
    decided = json.loads(reaper.stdout.readline())
    for inhabitant, asked in zip(chosen, sent, strict=True):
        _check(inhabitant, asked, outcome)
        outcome.seconds.append(time.monotonic() - decided["ended"])
    return int(decided["reaped"])


def _awake(inhabitant: Inhabitant) -> None:
    client, session = inhabitant.client, inhabitant.session
    if client.session(session)["status"] != "ready":
        client.post(f"/sessions/{session}/start/")
        client.status(session, "ready", seconds=90)


def _ask_at(inhabitant: Inhabitant, moment: float, wish: wishes.Wish) -> Asked:
    time.sleep(max(0.0, moment - time.monotonic()))
    asked = inhabitant.ask(wish)
    assert asked is not None, inhabitant.problems
    return asked


def _check(inhabitant: Inhabitant, asked: Asked, outcome: Outcome) -> None:
    deadline = time.monotonic() + 90
    while True:
        inhabitant.attend()
        turn = inhabitant.client.turn(inhabitant.session, asked.turn)
        if turn is not None and turn["status"] == "ended":
            break
        if time.monotonic() > deadline:
            outcome.wrong.append(f"{inhabitant.session}: {asked.turn} has no answer")
            return
        time.sleep(0.05)
    if texts(turn) != asked.wish.expected or turn["stop_reason"] != "end_turn":
        outcome.wrong.append(f"{inhabitant.session}: {turn['stop_reason']}, {texts(turn)[-40:]!r}")
