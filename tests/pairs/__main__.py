"""`python -m tests.pairs [--pairs 100]` measures and writes tables; it exits with 1 when a goal is missed."""

from __future__ import annotations

import argparse
import os
import signal
import sys

import django

from openagent.lib import engine
from openagent.lib.data_dir import CHECKOUT
from tests import figures


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pairs", description=__doc__)
    parser.add_argument("--pairs", type=int, default=100, help="at once, 4 at least")
    parser.add_argument("--only", choices=["neighbours", "crowd"], help="one of the two")
    options = parser.parse_args()
    # Whoever ends us ends the product too, in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        engine.current().reach()
    except OSError as error:
        print(f"No container engine answers ({error}): nothing measured.", file=sys.stderr)
        return int(os.environ.get("OPENAGENT_REQUIRE_DOCKER") == "1")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    # What folds logs needs Django.
    from tests.pairs import crowd, neighbours
    from tests.pairs.place import place

    is_well = True
    # Each on a place of its own: in the end nothing may be left of either.
    if options.only != "crowd":
        with place(sessions=options.pairs) as made:
            beside = neighbours.measure(made)
        _write("neighbours", beside.table())
        is_well = beside.is_well()
    if options.only != "neighbours":
        with place(sessions=options.pairs) as made:
            many = crowd.measure(made, options.pairs)
        _write("crowd", many.table())
        is_well = is_well and many.is_well()
    return 0 if is_well else 1


def _write(name: str, table: list[str]) -> None:
    """Prints and keeps it as soon as it is there."""
    report = "\n".join([*figures.table([name, ""], [("machine", figures.machine())]), "", *table])
    print(report, flush=True)
    print(f"Written to {figures.store(name, report).relative_to(CHECKOUT)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
