"""What a soak says while it runs, the tables that it leaves, and what it keeps of a product that broke."""

from __future__ import annotations

import shutil
import statistics
import time
from typing import TYPE_CHECKING

from openagent.lib.data_dir import CHECKOUT
from tests import figures
from tests.soak.habitat import Habitat

if TYPE_CHECKING:
    from tests.soak.run import Soak

SHOWN = 10


def tell(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def keep(habitat: Habitat) -> None:
    """Logs, database and journals of a product in which something was wrong."""
    kept = figures.RESULTS / f"soak-{habitat.name}"
    shutil.rmtree(kept, ignore_errors=True)
    data = habitat.rig.product.data
    shutil.copytree(data.logs, kept / "logs")
    for path in data.root.glob("db.sqlite3*"):
        shutil.copy(path, kept)
    for log in data.root.glob("instances/*/log"):
        (kept / "instances").mkdir(exist_ok=True)
        shutil.copy(log, kept / "instances" / f"{log.parent.name}.log")
    for name in ("records", "journals"):
        if (data.root / "nursery" / name).exists():
            shutil.copytree(data.root / "nursery" / name, kept / name)
    tell(f"kept {kept.relative_to(CHECKOUT)}")


def write(soak: Soak) -> int:
    """Prints and writes everything; the exit code."""
    lines = [*_run(soak), "", *_faults(soak), "", *_invariants(soak), "", *_trials(soak)]
    table = "\n".join(lines)
    print(table)
    figures.store("soak", table)
    done = [f"{nemesis.habitat.name}  {line}" for nemesis in soak.nemeses for line in nemesis.done]
    (figures.RESULTS / "soak-faults.txt").write_text("\n".join([f"seed {soak.seed}", *done]) + "\n")
    wrong = [(name, one) for name, found in soak.verdict.broken.items() for one in found]
    wrong += [(name, one) for name, outcome in soak.outcomes.items() for one in outcome.wrong]
    for name, one in wrong[: 5 * SHOWN]:
        print(f"BROKEN  {name}: {one}")
    tell("every invariant held" if not wrong else f"{len(wrong)} times an invariant was broken")
    return 1 if wrong else 0


def _run(soak: Soak) -> list[str]:
    outcomes = ", ".join(f"{count} {state}" for state, count in sorted(soak.verdict.outcomes.items()))
    people = [each for nemesis in soak.nemeses for each in nemesis.habitat.inhabitants]
    values = [
        ("machine", figures.machine()),
        ("seed", str(soak.seed)),
        ("time", f"{(time.monotonic() - soak.begun) / 60:.1f} minutes"),
        ("sessions", f"{soak.sessions} with fake sidecars, {soak.opencode} with OpenCode"),
        ("prompts accepted", f"{soak.verdict.outcomes.total()}: {outcomes}"),
        ("requests sent again", str(sum(each.repeats for each in people))),
        ("browser connections", str(sum(each.reader.connects for each in people))),
        ("events taken back from screens", str(sum(each.reader.log.replaced for each in people))),
    ]
    return figures.table(["soak", ""], values)


def _faults(soak: Soak) -> list[str]:
    names = sorted({name for nemesis in soak.nemeses for name in nemesis.counts})
    rows = [(name, *(str(nemesis.counts[name]) for nemesis in soak.nemeses)) for name in names]
    return figures.table(["fault", *(f"{nemesis.habitat.name} sessions" for nemesis in soak.nemeses)], rows)


def _invariants(soak: Soak) -> list[str]:
    verdict = soak.verdict
    rows = [(name, str(verdict.looked[name]), str(len(wrong))) for name, wrong in verdict.broken.items()]
    return figures.table(["must be 0", "looked at", "broken"], rows)


def _trials(soak: Soak) -> list[str]:
    rows = []
    for name, outcome in soak.outcomes.items():
        times = sorted(outcome.seconds)
        spread = f"{statistics.median(times):.2f} / {times[-1]:.2f}" if times else ""
        rows.append((name, str(outcome.trials), str(len(outcome.wrong)), spread, outcome.note))
    return figures.table(["trial", "times", "broken", "seconds to its end, median / most", ""], rows)
