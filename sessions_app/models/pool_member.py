"""An instance made in advance that belongs to nobody yet."""

from __future__ import annotations

import uuid

from django.db import models


class PoolState(models.TextChoices):
    """`ready` ones can be claimed, which ends the row; `leaving` ones are being removed.

    `failed` ones are removed as well, and keep their place for a while: what does not start now would not
    start a second later.
    """

    STARTING = "starting"
    READY = "ready"
    LEAVING = "leaving"
    FAILED = "failed"


class PoolMember(models.Model):
    """A sidecar and a box with an agent that listens, and no session. Whoever claims it makes it an instance.

    Its id becomes the instance's: the names of the engine's objects and the token are made from it.
    `made_for` is what it was started for; when that is not what is wanted any more, it leaves.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agent = models.CharField(max_length=40)
    driver = models.CharField(max_length=40)
    driver_ref = models.JSONField(null=True, blank=True)
    made_for = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=PoolState.choices, default=PoolState.STARTING)
    error_message = models.TextField(blank=True)
    link_version = models.PositiveSmallIntegerField(default=0)
    public_key = models.CharField(max_length=64, blank=True)
    silent_passes = models.PositiveIntegerField(default=0)
    linkless_passes = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    ready_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "agent"], name="pool_member_state")]

    def __str__(self) -> str:
        return f"{self.agent} ({self.state})"

    @property
    def volume(self) -> str:
        """The name of its disk, which a session adopts together with it."""
        return str(self.id)
