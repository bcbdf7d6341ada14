"""The named stages of an instance's start, as people watch them."""

from __future__ import annotations

import uuid

from django.utils import timezone

from sessions_app.models import Instance, InstanceState
from sessions_app.services import places, state


def add(instance_id: uuid.UUID, name: str) -> None:
    """Remembers that a named stage of the start was reached, and when."""
    stage = {"name": name, "at": timezone.now().isoformat()}
    while True:
        instance = Instance.objects.get(pk=instance_id)
        if any(known["name"] == name for known in instance.stages):
            return
        # The worker and the link both add to it.
        unchanged = Instance.objects.filter(pk=instance_id, stages=instance.stages)
        if unchanged.update(stages=[*instance.stages, stage], progress=""):
            state.bump(instance.session_id)
            return


def go_on(instance_id: uuid.UUID, progress: str) -> None:
    """The stage under way takes long and goes on: the start has not failed, and people see how far it is."""
    starting = Instance.objects.filter(pk=instance_id, state=InstanceState.STARTING)
    # It does not get back its turn to start: others have waited long enough.
    starting.filter(silent_passes__gt=places.HELD_PASSES).update(silent_passes=places.HELD_PASSES)
    told = starting.exclude(progress=progress)
    if told.update(progress=progress):
        state.bump(Instance.objects.values_list("session_id", flat=True).get(pk=instance_id))
