"""Runs every measurement, prints the table and writes it: `python -m tests.bench [--seconds 30]`."""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path

from openagent.lib.data_dir import CHECKOUT
from tests.bench import load, starting, streaming
from tests.product import running

RESULT = CHECKOUT / "var" / "bench.txt"

MOST_CPU_RATIO = 6.0
MOST_ADDED_P99_MS = 50.0


def main() -> int:
    """0 when every goal is met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    shape = load.Load(sessions=options.sessions, seconds=options.seconds)
    print(f"Streaming: {shape.sessions} sessions, {shape.rate:.0f} frames/s each, {shape.seconds:.0f} s")
    bare = streaming.measure_bare(shape)
    with running() as product:
        ours, stored = streaming.measure_product(shape, product)
    print(f"Starting: {options.starts} sessions with OpenCode, one after the other")
    with running(OPENAGENT_DRIVER="process") as product:
        starts = starting.measure(product, options.starts)
    lines, met = _streaming_table(bare, ours, stored)
    report = "\n".join(
        [f"OpenAgent bench on {platform.machine()}, {platform.python_version()}", *lines, "", *starts.lines()]
    )
    print(report)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(report + "\n")
    print(f"Written to {RESULT.relative_to(Path.cwd()) if RESULT.is_relative_to(Path.cwd()) else RESULT}")
    return 0 if met else 1


def _streaming_table(bare: load.Result, ours: load.Result, stored: int) -> tuple[list[str], bool]:
    added = ours.percentile(0.99) - bare.percentile(0.99)
    ratio = ours.cpu_per_frame_us / bare.cpu_per_frame_us
    lines = [f"{'':24}{'bare relay':>12}{'OpenAgent':>12}"]
    for name, share in (("p50 ms", 0.5), ("p95 ms", 0.95), ("p99 ms", 0.99)):
        lines.append(f"{'latency ' + name:24}{bare.percentile(share):12.2f}{ours.percentile(share):12.2f}")
    lines.append(f"{'CPU per frame us':24}{bare.cpu_per_frame_us:12.0f}{ours.cpu_per_frame_us:12.0f}")
    lines.append(f"{'frames sent':24}{bare.sent:12}{ours.sent:12}")
    lines.append(f"{'frames shown':24}{bare.received:12}{ours.received:12}")
    lines.append(f"{'events stored':24}{'-':>12}{stored:12}")
    goals = [
        (f"nothing lost: {ours.sent} sent, shown and stored", ours.received == ours.sent == stored),
        (f"added p99 {added:.1f} ms, at most {MOST_ADDED_P99_MS:.0f}", added <= MOST_ADDED_P99_MS),
        (
            f"CPU per frame {ratio:.1f} x the bare relay's, at most {MOST_CPU_RATIO:.0f}",
            ratio <= MOST_CPU_RATIO,
        ),
    ]
    lines += [f"{'met ' if is_met else 'MISSED'}  {text}" for text, is_met in goals]
    return lines, all(is_met for _, is_met in goals)


if __name__ == "__main__":
    sys.exit(main())
