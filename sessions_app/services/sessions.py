"""Sessions: made, changed, started, stopped and deleted by their owners. What one is doing is `state`."""

from __future__ import annotations

from sessions_app.services.state import bump, snapshot, status

__all__ = ["bump", "snapshot", "status"]
