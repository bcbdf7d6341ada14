"""The conversation that the page makes of a log: its own fold, in one Node process for all tests."""

from __future__ import annotations

import atexit
import functools
import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests import needs

_FRONTEND = Path(__file__).resolve().parents[2] / "frontend"


def fold(events: Iterable[Mapping[str, Any]]) -> Any:
    """What frontend/src/protocol/fold.ts makes of these events; AssertionError where it cannot."""
    process = _started()
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(json.dumps({"events": list(events)}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
    except BaseException:
        # An answer that nobody took would be taken for the next one's.
        process.kill()
        _started.cache_clear()
        raise
    assert line, "The page's fold did not start: see what Node says above."
    answer = json.loads(line)
    assert "error" not in answer, answer["error"]
    return answer["conversation"]


@functools.cache
def _started() -> subprocess.Popen[str]:
    """The process, which bundles the fold first; it ends with its input, at the latest as we end."""
    process = subprocess.Popen(
        [needs.node(), str(Path(__file__).with_suffix(".mjs")), str(_FRONTEND)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.communicate)
    return process
