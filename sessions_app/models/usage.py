"""Metered facts: what a model call cost in tokens, as the provider counted it at the gate."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class UsageEvent(models.Model):
    """One model call. `input` contains `cached`, `output` contains `reasoning`; counts are tokens."""

    session = models.ForeignKey("sessions_app.Session", on_delete=models.CASCADE, related_name="usage")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="usage")
    key = models.ForeignKey("keys_app.ProviderKey", null=True, blank=True, on_delete=models.SET_NULL)
    turn = models.UUIDField(null=True)
    request_id = models.CharField(max_length=100)
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    input = models.BigIntegerField()
    output = models.BigIntegerField()
    cached = models.BigIntegerField(default=0)
    reasoning = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "request_id"], name="one_usage_per_request"),
        ]
        indexes = [models.Index(fields=["owner", "created_at"], name="usage_owner_created")]

    def __str__(self) -> str:
        return f"{self.model}: {self.input} in, {self.output} out"
