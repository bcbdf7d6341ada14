"""The tables of docs/figures.md: `store` keeps one of a run, `python -m tests.figures` fills the page."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from openagent.lib.data_dir import CHECKOUT

RESULTS = CHECKOUT / "bench-results"
PAGE = CHECKOUT / "docs" / "figures.md"


def machine() -> str:
    """What everything was measured on."""
    release = dict(re.findall(r'^(\w+)="?(.*?)"?$', Path("/etc/os-release").read_text(), re.MULTILINE))
    words = [f"{os.cpu_count()} cores", platform.machine(), release.get("PRETTY_NAME", platform.system())]
    return ", ".join([*words, f"Python {platform.python_version()}"])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of Markdown that are also fit to be read as they are."""
    found = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in found) for column in range(len(head))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in found]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def percentile(values: Sequence[float], share: float) -> float:
    """One that was really measured: the least that is not below this share of them."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def pss_mb(process: int) -> float:
    """What memory a process takes; pages that several share are divided among them."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def store(name: str, text: str) -> Path:
    """Keep the tables of a run for the page; the file."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.md"
    path.write_text(text + "\n")
    return path


def put(page: str, name: str, text: str) -> str:
    """The page with this text between the markers of that name. ValueError when it has none."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{PAGE.name} has no place for {name}")
    return f"{before}{begin}\n{text.strip()}\n\n{end}{after}"


def main() -> int:
    """Put what the last runs left into the page."""
    page, results = PAGE.read_text(), sorted(RESULTS.glob("*.md"))
    if not results:
        print(f"There is nothing in {RESULTS}: run make bench and make soak first.", file=sys.stderr)
        return 1
    for path in results:
        page = put(page, path.stem, path.read_text())
    PAGE.write_text(page)
    print(f"{PAGE.relative_to(CHECKOUT)} now has: {', '.join(path.stem for path in results)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
