"""How long instances lived whose own rows are gone together with their session."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class InstanceUse(models.Model):
    """One life, from the moment at which somebody made it; it outlives the purge of its session."""

    session = models.ForeignKey("sessions_app.Session", on_delete=models.CASCADE, related_name="lives")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    generation = models.PositiveIntegerField()
    launched_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "generation"], name="one_use_per_generation")
        ]
        indexes = [models.Index(fields=["owner", "launched_at"], name="instance_use_owner")]

    def __str__(self) -> str:
        return f"{self.session_id} generation {self.generation}"
