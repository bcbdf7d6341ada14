"""One life of a session's sidecar and box."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class InstanceState(models.TextChoices):
    """States only move forward, in this order; `lost` and `failed` are reached from any live state."""

    REQUESTED = "requested"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    LOST = "lost"
    FAILED = "failed"


AWAKE_STATES = (InstanceState.REQUESTED, InstanceState.STARTING, InstanceState.READY)
LIVE_STATES = (*AWAKE_STATES, InstanceState.STOPPING)


class InstanceQuerySet(models.QuerySet["Instance"]):
    """Filters over the life of instances."""

    def live(self) -> InstanceQuerySet:
        """Instances that exist or are about to: at most one per session."""
        return self.filter(state__in=LIVE_STATES)

    def unremoved(self) -> InstanceQuerySet:
        """Ended instances whose engine objects may still exist: they bar the way of the next generation."""
        return self.exclude(state__in=LIVE_STATES).filter(removed_at=None)


class Instance(models.Model):
    """A sidecar and a box made by a driver; `driver_ref` is the driver's own and opaque here.

    `link_version` is what its link speaks, 0 before it had one;
    `stored_seq` is the last event stored in this instance's own numbering (the fence of salvage).
    `progress` is how far the stage under way of its start is, in words, if that takes long.
    `agent_rests` while the agent's process has ended and the next prompt starts it again.
    `egress` is what it was told last of what its box may reach.
    `launched_at` is set while somebody makes it, and stays when it is made.
    `silent_passes` counts passes of the reconciler since the last change of state, `linkless_passes` those in
    which whoever serves the sockets had no link of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey("sessions_app.Session", on_delete=models.CASCADE, related_name="instances")
    generation = models.PositiveIntegerField()
    driver = models.CharField(max_length=40)
    driver_ref = models.JSONField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=InstanceState.choices, default=InstanceState.REQUESTED)
    stages = models.JSONField(default=list, blank=True)
    progress = models.CharField(max_length=100, blank=True)
    stop_reason = models.CharField(max_length=20, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)

    link_version = models.PositiveSmallIntegerField(default=0)
    public_key = models.CharField(max_length=64, blank=True)
    first_seq = models.BigIntegerField(default=0)
    stored_seq = models.BigIntegerField(default=0)
    is_salvaged = models.BooleanField(default=False)
    agent_rests = models.BooleanField(default=False)
    egress = models.JSONField(null=True, blank=True)
    last_command = models.PositiveIntegerField(default=0)
    silent_passes = models.PositiveIntegerField(default=0)
    linkless_passes = models.PositiveIntegerField(default=0)

    requested_at = models.DateTimeField(auto_now_add=True)
    launched_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session"], condition=Q(state__in=LIVE_STATES), name="one_live_instance"
            ),
            models.UniqueConstraint(fields=["session", "generation"], name="one_instance_per_generation"),
        ]
        indexes = [
            models.Index(fields=["state", "session"], name="instance_state"),
            models.Index(fields=["session"], condition=Q(removed_at=None), name="instance_unremoved"),
            models.Index(fields=["-ready_at"], condition=Q(ready_at__isnull=False), name="instance_ready"),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} generation {self.generation} ({self.state})"

    @property
    def is_live(self) -> bool:
        """True while the instance exists or is about to."""
        return self.state in LIVE_STATES
