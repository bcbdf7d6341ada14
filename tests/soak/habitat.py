"""Where a soak takes place: a product with its sessions, and what of it can be broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openagent.lib.data_dir import CHECKOUT
from tests.end_to_end.rig import Rig, rig
from tests.product import Product
from tests.soak import nursery, wishes
from tests.soak.inhabitant import Inhabitant


class NurseryProduct(Product):
    """The product with the nursery as its engine."""

    program = ("-m", "tests.soak.up")

    def __init__(self, data: Path, *options: str, **environment: str) -> None:
        self.folder = data / "nursery"
        self._engine = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.nursery", str(self.folder)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(data / "nursery.log").open("ab"),
        )
        assert self._engine.stdout is not None and self._engine.stdout.readline() == b"ready\n"
        settings = {"OPENAGENT_DRIVER": "nursery", "DJANGO_SETTINGS_MODULE": "tests.soak.settings"}
        super().__init__(data, *options, **{**environment, **settings})

    def stop(self, *arguments: Any, **options: Any) -> int:
        try:
            return super().stop(*arguments, **options)
        finally:
            assert self._engine.stdin is not None and self._engine.stdout is not None
            self._engine.stdin.close()
            self._engine.wait(15)
            self._engine.stdout.close()


@dataclass
class Habitat:
    """A product under load. `halves` are what `victims` can find of an instance."""

    name: str
    rig: Rig
    inhabitants: list[Inhabitant]
    halves: tuple[str, ...]

    def victims(self, half: str) -> dict[str, int]:
        """The process of this half of every instance that lives now, by session."""
        data = self.rig.product.data.root
        if isinstance(self.rig.product, NurseryProduct):
            found = nursery.ask(self.rig.product.folder, do="look").values()
            return {child["volume"]: child["pid"] for child in found if child["alive"]}
        pids = {}
        for keeper in (data / "instances").glob("*/keeper.json"):
            # It may be gone before it is read.
            try:
                plan, entries = (json.loads((keeper.parent / name).read_text()) for name in _FILES)
            except (FileNotFoundError, json.JSONDecodeError):
                continue
            if half in entries and _lives(entries[half]["pid"]):
                pids[plan["volume"]] = entries[half]["pid"]
        return pids

    def records(self, session: str) -> list[dict[str, Any]]:
        """What the sidecars of a session wrote down, where they do so."""
        path = self.rig.product.data.root / "nursery" / nursery.RECORDS / f"{session}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def journal(self, session: str) -> Path:
        root = self.rig.product.data.root
        return (root / "nursery" if isinstance(self.rig.product, NurseryProduct) else root) / (
            f"journals/{session}"
        )


_FILES = ("plan.json", "keeper.json")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def many(*, sessions: int, seed: int) -> Iterator[Habitat]:
    """Many sessions whose sidecars are fake: link, journal, salvage and turns are real, agent and box not."""
    # Asleep only when a trial of the reaper wants it.
    places = dict.fromkeys(("OPENAGENT_LIVE_SESSIONS", "OPENAGENT_LIVE_SESSIONS_PER_USER"), "1000")
    with rig(NurseryProduct, OPENAGENT_IDLE_SECONDS="1d", **places) as made, ExitStack() as stack:
        people = [_inhabitant(made, wishes.of_a_fake, seed + number) for number in range(sessions)]
        yield Habitat("many", made, [stack.enter_context(each) for each in people], ("sidecar", "box"))


@contextmanager
def few(*, sessions: int, seed: int) -> Iterator[Habitat]:
    """A few sessions of the process driver, with OpenCode, a provider behind the gate, and a key."""
    with rig() as made, ExitStack() as stack:
        people = [
            _inhabitant(made, wishes.of_opencode, seed + number, **made.model, mode="auto")
            for number in range(sessions)
        ]
        entered = [stack.enter_context(each) for each in people]
        yield Habitat("few", made, entered, ("sidecar", "box", "keeper"))


def _inhabitant(made: Rig, wish: Any, seed: int, **fields: Any) -> Inhabitant:
    session = made.client.new_session(**fields)
    return Inhabitant(made.client.url, made.client.token, session, wishes=wish, seed=seed)
