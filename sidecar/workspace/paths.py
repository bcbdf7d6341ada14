"""Paths and moments as they go to a box and come from one."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from sidecar.box_protocol import BoxError


def relative(path: str) -> str:
    """The path without what would lead out of the workspace; the box checks again, and better."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise BoxError("not_found", "There is no such file.")
    return "/".join(parts)


def moment(seconds: float) -> str:
    """Unix time as RFC 3339; empty for what no calendar has."""
    if not math.isfinite(seconds) or not 0 < seconds < 2**33:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
