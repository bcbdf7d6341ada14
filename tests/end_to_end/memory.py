"""How much memory each process of a product takes, those in its boxes too."""

from __future__ import annotations

import json
from pathlib import Path

from tests.product import Product


def of_all(product: Product) -> dict[str, float]:
    """Its processes by number and name; in MB, pages that several share divided among them."""
    found = {}
    for pid in _processes(product):
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended meanwhile.
        sizes = [line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")]
        found[f"{name} {pid}"] = int(sizes[0]) / 1024 if sizes else 0.0
    return found


def _processes(product: Product) -> set[int]:
    """All of its parts and instances, and everything that these have started."""
    known = product.processes()
    for keeper in product.data.root.glob("instances/*/keeper.json"):
        known |= {entry["pid"] for entry in json.loads(keeper.read_text()).values()}
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    while more := {pid for pid, parent in parents.items() if parent in known} - known:
        known |= more
    return known
