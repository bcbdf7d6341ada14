"""What an agent asked of a person, and what the person said."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class PermissionState(models.TextChoices):
    """`pending` until the first answer, or until the instance or turn that asked is gone."""

    PENDING = "pending"
    ANSWERED = "answered"
    LOST = "lost"


class Permission(models.Model):
    """One question to a person; `asked` holds the event's data as it arrived.

    `number` orders them, over all sessions: it is the database's own number of the event that asked.
    """

    id = models.UUIDField(primary_key=True)
    session = models.ForeignKey("sessions_app.Session", on_delete=models.CASCADE, related_name="permissions")
    instance = models.ForeignKey("sessions_app.Instance", null=True, on_delete=models.SET_NULL)
    number = models.BigIntegerField(default=0, db_index=True)
    turn = models.UUIDField(null=True)
    type = models.CharField(max_length=12)
    title = models.TextField(blank=True)
    asked = models.JSONField()
    state = models.CharField(max_length=10, choices=PermissionState.choices, default=PermissionState.PENDING)
    choice = models.CharField(max_length=10, blank=True)
    message = models.TextField(blank=True)
    answers = models.JSONField(default=list, blank=True)
    by = models.CharField(max_length=10, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["session", "state"], name="permission_session_state"),
            models.Index(
                fields=["session"],
                condition=models.Q(state=PermissionState.PENDING),
                name="permission_pending",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type}: {self.title[:60]} ({self.state})"
