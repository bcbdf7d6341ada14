"""OpenCode's list of things to do as our plan."""

from __future__ import annotations

from typing import Any

from sidecar.agents import text
from sidecar.protocol.messages import PlanEntry

MAX_TODOS = 100


def plan(todos: object) -> list[PlanEntry]:
    """The whole list, as far as it makes sense."""
    return [_entry(text.mapping(each)) for each in text.items(todos, MAX_TODOS)]


def _entry(given: dict[str, Any]) -> PlanEntry:
    status, priority = given.get("status"), given.get("priority")
    return PlanEntry(
        content=text.clip(given.get("content"), 500),
        status=status if status in ("pending", "in_progress", "completed", "cancelled") else "pending",
        priority=priority if priority in ("high", "medium", "low") else "medium",
    )
