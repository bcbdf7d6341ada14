"""What the parts of a running product write to their logs, line by line."""

from __future__ import annotations

import json
from typing import Any


def lines(log: str, event: str) -> list[dict[str, Any]]:
    """The lines of a log that tell of `event`; the last one may be half written, so it does not count."""
    whole = log.rpartition("\n")[0]
    found = [json.loads(line) for line in whole.splitlines() if event in line]
    return [line for line in found if line["event"] == event]
