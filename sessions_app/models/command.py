"""Orders that go down the link, numbered per instance."""

from __future__ import annotations

from django.db import models


class Command(models.Model):
    """One order to a sidecar; it is repeated until the sidecar says that it holds the number.

    Once it is done, its data are gone.
    """

    instance = models.ForeignKey("sessions_app.Instance", on_delete=models.CASCADE, related_name="commands")
    number = models.PositiveIntegerField()
    verb = models.CharField(max_length=40)
    data = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "number"], name="one_command_per_number")]
        indexes = [
            models.Index(fields=["instance"], condition=models.Q(done_at=None), name="command_undone"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.verb}"
