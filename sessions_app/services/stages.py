"""The named stages of an instance's start, as people watch them."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from sessions_app.models import Instance
from sessions_app.services import state


def add(instance_id: uuid.UUID, name: str, elapsed_ms: int | None = None) -> None:
    """Remembers that a named stage of the start was reached; the sidecar's own are measured by its clock."""
    stage: dict[str, Any] = {"name": name, "at": timezone.now().isoformat(), "elapsed_ms": elapsed_ms}
    while True:
        instance = Instance.objects.get(pk=instance_id)
        if any(known["name"] == name for known in instance.stages):
            return
        # The worker and the link both add to it.
        unchanged = Instance.objects.filter(pk=instance_id, stages=instance.stages)
        if unchanged.update(stages=[*instance.stages, stage]):
            state.bump(instance.session_id)
            return
