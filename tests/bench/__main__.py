"""Runs every measurement, prints the tables and writes them: `python -m tests.bench [--seconds 30]`, and with
`--agents` only what each agent takes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from openagent.lib import engine
from openagent.lib.data_dir import CHECKOUT
from tests import build_images, figures
from tests.bench import agents, load, proxying, starting, streaming, terminals
from tests.container_product import ContainerProduct
from tests.product import Product, running

MOST_CPU_RATIO = 6.0
MOST_ADDED_P99_MS = 50.0


def main() -> int:
    """0 when every goal is met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--agents", action="store_true", help="measure the agents only")
    options = parser.parse_args()
    if options.agents:
        _measure_agents(options.starts)
        return 0
    shape = load.Load(sessions=options.sessions, seconds=options.seconds)
    print(f"Streaming: {shape}")
    bare = streaming.measure_bare(shape)
    with running() as product:
        ours, stored = streaming.measure_product(shape, product)
    streams = proxying.Shape()
    print(f"Model proxy: {streams}")
    direct, proxied = proxying.measure(streams)
    print(f"Starting: {options.starts} sessions with OpenCode, one after the other, on each driver")
    starts = [starting.measure(make, driver, options.starts) for driver, make in _drivers()]
    typed = terminals.Shape()
    print(f"Terminals: {typed}")
    plain, boxed = terminals.measure(typed)
    goals = _goals(bare, ours, stored) + [goal for each in starts for goal in each.goals()]
    machine = figures.table(["bench", ""], [("machine", figures.machine()), ("load", str(shape))])
    proxy = proxying.table(streams, direct, proxied)
    tables = [each.table() for each in starts]
    parts = [machine, _streaming_table(bare, ours, stored), *tables, _goals_table(goals), proxy]
    parts.append(terminals.table(typed, plain, boxed))
    report = "\n\n".join("\n".join(lines) for lines in parts)
    print(report)
    print(f"Written to {figures.store('bench', report).relative_to(CHECKOUT)}")
    _measure_agents(options.starts)
    are_met = [*(is_met for *_, is_met in goals), proxying.is_met(direct, proxied)]
    return 0 if all((*are_met, terminals.is_met(plain, boxed))) else 1


def _measure_agents(count: int) -> None:
    """Those that are installed: OpenCode always, and the others when `make agents` was run."""
    load_average = f"{os.getloadavg()[0]:.1f} processes wanted to run when it began"
    found = agents.measure(count)
    about = [("machine", figures.machine()), ("beside it", load_average)]
    machine = figures.table(["agents", ""], about)
    report = "\n\n".join("\n".join(lines) for lines in (machine, agents.table(found)))
    print(report)
    print(f"Written to {figures.store('agents', report).relative_to(CHECKOUT)}")


def _drivers() -> Iterator[tuple[str, type[Product]]]:
    """Those that this host can run."""
    yield "process", Product
    try:
        engine.current().reach()
    except OSError as error:
        print(f"No container engine answers ({error}): containers are not measured.")
    else:
        build_images.main()
        yield "docker", ContainerProduct


def _streaming_table(bare: load.Result, ours: load.Result, stored: int) -> list[str]:
    both = (bare, ours)
    rows = [
        (f"latency {name}, ms", *(f"{each.percentile(share):.2f}" for each in both))
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    ]
    rows.append(("CPU per frame, us", *(f"{each.cpu_per_frame_us:.0f}" for each in both)))
    rows.append(("frames sent", *(str(each.sent) for each in both)))
    rows.append(("frames shown", *(str(each.received) for each in both)))
    return figures.table(
        ["streaming", "bare relay", "OpenAgent"], [*rows, ("events stored", "", str(stored))]
    )


def _goals(bare: load.Result, ours: load.Result, stored: int) -> list[starting.Goal]:
    added = ours.percentile(0.99) - bare.percentile(0.99)
    ratio = ours.cpu_per_frame_us / bare.cpu_per_frame_us
    lost = max(ours.sent - ours.received, ours.sent - stored)
    return [
        ("frames lost", str(lost), "0", ours.received == ours.sent == stored),
        ("added latency p99, ms", f"{added:.1f}", f"<= {MOST_ADDED_P99_MS:.0f}", added <= MOST_ADDED_P99_MS),
        ("CPU per frame / bare relay's", f"{ratio:.1f}", f"<= {MOST_CPU_RATIO:.0f}", ratio <= MOST_CPU_RATIO),
    ]


def _goals_table(goals: list[starting.Goal]) -> list[str]:
    rows = [(name, value, goal, "met" if is_met else "MISSED") for name, value, goal, is_met in goals]
    return figures.table(["goal", "measured", "wanted", ""], rows)


if __name__ == "__main__":
    sys.exit(main())
