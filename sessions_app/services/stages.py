"""The named stages of an instance's start, as people watch them."""

from __future__ import annotations

import uuid

from django.utils import timezone

from sessions_app.models import Instance
from sessions_app.services import state


def add(instance_id: uuid.UUID, name: str) -> None:
    """Remembers that a named stage of the start was reached, and when."""
    stage = {"name": name, "at": timezone.now().isoformat()}
    while True:
        instance = Instance.objects.get(pk=instance_id)
        if any(known["name"] == name for known in instance.stages):
            return
        # The worker and the link both add to it.
        unchanged = Instance.objects.filter(pk=instance_id, stages=instance.stages)
        if unchanged.update(stages=[*instance.stages, stage]):
            state.bump(instance.session_id)
            return
