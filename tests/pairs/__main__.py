"""`python -m tests.pairs [--pairs 100]` measures and writes tables; it exits with 1 when a goal is missed."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time

import django

from openagent.lib import engine
from openagent.lib.data_dir import CHECKOUT
from tests import figures


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pairs", description=__doc__)
    parser.add_argument("--pairs", type=int, default=100, help="at once; 0 leaves the crowd out")
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

    begin = time.monotonic()
    with place(sessions=max(options.pairs, 4)) as made:
        beside = neighbours.measure(made)
        _write(begin, beside.table())
        many = crowd.measure(made, options.pairs) if options.pairs else None
    if many:
        _write(begin, beside.table(), many.table())
    return 0 if beside.is_well() and (many is None or many.is_well()) else 1


def _write(begin: float, *tables: list[str]) -> None:
    """Prints and keeps what there is so far."""
    values = [("machine", figures.machine()), ("time", f"{(time.monotonic() - begin) / 60:.1f} minutes")]
    report = "\n\n".join("\n".join(lines) for lines in (figures.table(["pairs", ""], values), *tables))
    print(report, flush=True)
    print(f"Written to {figures.store('pairs', report).relative_to(CHECKOUT)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
