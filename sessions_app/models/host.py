"""Where a driver makes instances."""

from __future__ import annotations

from django.db import models


class Host(models.Model):
    """The one host of a driver. While it is drained nothing starts there, and what runs there is let go."""

    driver = models.CharField(max_length=40, unique=True)
    drained_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"the host of {self.driver}"
