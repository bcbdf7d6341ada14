"""The invariants: what has to be true of every session when a soak has become quiet."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from tests.end_to_end.client import Client, texts
from tests.end_to_end.replay import check_replay
from tests.end_to_end.rig import KEY
from tests.fakes import hunter
from tests.soak.habitat import Habitat
from tests.soak.inhabitant import Asked, Inhabitant

CALM_SECONDS = 180.0
CENSUS_SECONDS = 60.0
OPEN = ("queued", "sent", "running")


@dataclass
class Verdict:
    """What was looked at, and what of it was not as it must be, by the name of the invariant."""

    looked: Counter[str] = field(default_factory=Counter)
    broken: dict[str, list[str]] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)

    def found(self, name: str, count: int, wrong: list[str]) -> None:
        self.looked[name] += count
        self.broken.setdefault(name, []).extend(wrong)

    def add(self, other: Verdict) -> None:
        for name, wrong in other.broken.items():
            self.found(name, other.looked[name], wrong)
        self.outcomes += other.outcomes


def become_calm(habitat: Habitat) -> None:
    """Nobody asks any more, and what was asked comes to its end, if it ever does."""
    for inhabitant in habitat.inhabitants:
        inhabitant.hush()
    for inhabitant in habitat.inhabitants:
        inhabitant.quiet()
    deadline = time.monotonic() + CALM_SECONDS
    waiting = list(habitat.inhabitants)
    while waiting and time.monotonic() < deadline:
        for inhabitant in waiting:
            inhabitant.attend()
        waiting = [each for each in waiting if set(states(each).values()) & set(OPEN)]
        time.sleep(0.5)


def states(inhabitant: Inhabitant) -> dict[str, str]:
    """What became of every prompt of the session."""
    found: dict[str, str] = {}
    path: str | None = f"/sessions/{inhabitant.session}/prompts/"
    while path:
        page = inhabitant.client.get(path)
        found |= {prompt["id"]: prompt["state"] for prompt in page["results"]}
        path = page["next"]
    return found


def check(habitat: Habitat) -> Verdict:
    """Everything, after `become_calm`."""
    verdict = Verdict()
    census = settled_census(habitat)
    check_instances(census, verdict)
    for inhabitant in habitat.inhabitants:
        check_log(inhabitant.session, census, habitat.records(inhabitant.session), verdict)
        check_prompts(inhabitant, habitat.records(inhabitant.session), verdict)
        check_shown(inhabitant, verdict)
        verdict.found("answers of the platform that are bugs", 1, inhabitant.problems)
    check_secrets(habitat, verdict)
    return verdict


def settled_census(habitat: Habitat) -> dict[str, Any]:
    """The census as soon as the reconciler has nothing left to do, or has had its time."""
    deadline = time.monotonic() + CENSUS_SECONDS
    while True:
        # The shell says some words of its own first.
        said = habitat.rig.product.manage("shell", "-c", _CENSUS).partition("CENSUS")[2]
        census: dict[str, Any] = json.loads(said)
        unsettled = census["strangers"] or census["ghosts"] or "running" in census["status"].values()
        if not unsettled or time.monotonic() > deadline:
            return census
        time.sleep(2)


_CENSUS = 'import json; from tests.soak import census; print("CENSUS" + json.dumps(census.take()))'


def check_instances(census: dict[str, Any], verdict: Verdict) -> None:
    live = Counter(census["live"])
    verdict.found(
        "live generations of a session are at most one", len(live), [s for s in live if live[s] > 1]
    )
    verdict.found("instances that no row knows", len(live), census["strangers"])
    running = [name for name, status in census["status"].items() if status == "running"]
    without = [*census["ghosts"], *running]
    verdict.found("sessions that run without an instance", len(census["status"]), without)


def check_log(session: str, census: dict[str, Any], records: list[dict[str, Any]], verdict: Verdict) -> None:
    """Every number up to the last is in the log, generations in order, and so is what was acknowledged."""
    last, spans = census["last"][session], census["spans"][session]
    held: dict[int, int] = {}
    for seq, seq_end, gen in spans:
        for number in range(seq, seq_end + 1):
            held[number] = min(gen, held.get(number, gen))
    missing = [number for number in range(1, last + 1) if number not in held]
    beyond = [number for number in held if number > last]
    wrong = [f"{session}: missing {missing[:5]}, beyond the end {beyond[:5]}"] if missing or beyond else []
    generations = [gen for _, _, gen in spans]
    if generations != sorted(generations):
        wrong.append(f"{session}: generations are not in order")
    verdict.found("gaps or repeats in the numbers of a log", last, wrong)
    acknowledged: dict[int, int] = {}
    for record in records:
        if "acked" in record:
            acknowledged[record["gen"]] = max(record["acked"], acknowledged.get(record["gen"], 0))
    lost = [
        f"{session}: {seq} of generation {gen} was acknowledged"
        for gen, seq in acknowledged.items()
        if held.get(seq, gen + 1) > gen
    ]
    verdict.found("acknowledged events that are missing", max(acknowledged.values(), default=0), lost)


def check_prompts(inhabitant: Inhabitant, records: list[dict[str, Any]], verdict: Verdict) -> None:
    """Each prompt that was accepted has one turn, which said a beginning of what it should say."""
    client, session = inhabitant.client, inhabitant.session
    began = Counter(event["turn"] for event in client.events(session) if event["kind"] == "turn.started")
    ran = Counter(record["ran"] for record in records if "ran" in record)
    turns = {turn["id"]: turn for turn in client.conversation(session)["turns"]}
    found = states(inhabitant)
    wrong, false = [], []
    for asked in inhabitant.asked:
        state = found.get(asked.turn, "gone")
        verdict.outcomes[state] += 1
        if fault := _fault(asked, state, began, ran if records else None):
            wrong.append(f"{session}: {asked.turn} {fault}")
        said = texts(turns[asked.turn]) if asked.turn in turns else ""
        complete = said == asked.wish.expected or state != "done"
        if not asked.wish.expected.startswith(said) or not complete:
            false.append(f"{session}: {asked.turn} ({state}) said {said[-60:]!r}")
    verdict.found("prompts without exactly one turn", len(inhabitant.asked), wrong)
    verdict.found("answers that are not what the agent said", len(inhabitant.asked), false)


def _fault(asked: Asked, state: str, began: Counter[str], ran: Counter[str] | None) -> str:
    """`ran` is the agents' own record, where there is one."""
    times = began[asked.turn]
    if state not in ("done", "interrupted", "cancelled"):
        return f"is {state}"
    if times != 1 and not (state == "cancelled" and times == 0):
        return f"is {state} and began {times} times"
    if ran is not None and (ran[asked.turn] > 1 or (state == "done" and ran[asked.turn] != 1)):
        return f"is {state} and ran {ran[asked.turn]} times"
    return ""


def check_shown(inhabitant: Inhabitant, verdict: Verdict) -> None:
    """The screen shows what is stored, the log folds to what the API answers, and no rule was broken."""
    reader, wrong = inhabitant.reader, []
    try:
        check_replay(inhabitant.client, inhabitant.session)
        stored = inhabitant.client.conversation(inhabitant.session)
        reader.wait(lambda reader: reader.shown() == stored, 30)
    except AssertionError as error:
        wrong.append(f"{inhabitant.session}: {str(error)[:300]}")
    verdict.found("screens that do not show what is stored", 1, wrong)
    complaints = [f"{inhabitant.session}: {each}" for each in reader.log.complaints]
    verdict.found("gaps or stale events sent to a browser", len(reader.log.rows), complaints)


def check_secrets(habitat: Habitat, verdict: Verdict) -> None:
    """The key that was stored is in no file, in no value of Redis and in no answer."""
    product = habitat.rig.product
    hunt = hunter.Hunt({"key": KEY})
    for path in sorted(product.data.root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            hunt.search(str(path.relative_to(product.data.root)), hunter.read(str(path)))
    hunt.search("redis", _values(product.data.redis_socket))
    hunt.search("output", iter([product.output.encode()]))
    hunt.search("answers", _answers(habitat.rig.client))
    verdict.found("places where a stored key is readable", hunt.looked_at, hunt.found["key"])


def _values(socket: Path) -> Iterator[bytes]:
    with redis.Redis(unix_socket_path=str(socket)) as server:
        for key in server.scan_iter():
            yield key + b" " + (server.dump(key) or b"")


def _answers(client: Client) -> Iterator[bytes]:
    for path in ("/keys/", "/providers/", "/sessions/", "/usage/", "/me/"):
        yield client.raw("GET", path).content
