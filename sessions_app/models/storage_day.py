"""What the disks of sessions took, day by day."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class StorageDay(models.Model):
    """A day (of UTC) on which a session's disk was measured: the most that it took then, and the last.

    Until the session's next row its disk is as it was last measured: most days most sessions sleep. The row
    of the day on which nobody could restore it any more has 0 for the last.
    """

    session = models.ForeignKey("sessions_app.Session", on_delete=models.CASCADE, related_name="storage_days")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    most = models.BigIntegerField()
    last = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "day"], name="one_storage_per_day")]
        indexes = [models.Index(fields=["owner", "day"], name="storage_owner_day")]

    def __str__(self) -> str:
        return f"{self.session_id} {self.day}: {self.most} bytes"
