"""Metered facts: what a model call used and cost, as the provider counted it; how long instances lived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

COUNTS = ("input", "output", "cached", "written", "reasoning")
"""Tokens that are counted."""

TOTALS = (*COUNTS, "calls", "cost_micros", "unpriced_calls", "estimated_calls")
"""What sums over calls consist of."""


class UsageEventQuerySet(models.QuerySet["UsageEvent"]):
    """Sums over metered facts."""

    def totals_by(self, *fields: str) -> dict[tuple[Any, ...], dict[str, int]]:
        """Sums for each combination of values of `fields`; of none, under the empty tuple.

        `cost_micros` is the cost of the calls whose price is known; `unpriced_calls` counts the others, and
        `estimated_calls` those whose numbers no provider told.
        """
        sums: dict[str, Any] = {
            f"total_{name}": Coalesce(Sum(name), 0) for name in (*COUNTS, "cost_micros")
        } | {
            "total_calls": Count("pk"),
            "total_unpriced_calls": Count("pk", filter=Q(cost_micros__isnull=True)),
            "total_estimated_calls": Count("pk", filter=Q(is_estimated=True)),
        }
        if not fields:
            return {(): _totals(self.aggregate(**sums))}
        rows = self.order_by(*fields).values(*fields).annotate(**sums)
        return {tuple(row[field] for field in fields): _totals(row) for row in rows}


def _totals(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(row[f"total_{name}"]) for name in TOTALS}


class UsageEvent(models.Model):
    """One model call. `input` contains `cached` and `written`, `output` contains `reasoning`: tokens.

    `cost_micros`, millionths of a dollar, was computed with `price` when the row was written; null while no
    price of the model is known, which is not the same as free. `is_estimated`: the provider did not tell its
    numbers, and these are the most that they may have been.
    """

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
    written = models.BigIntegerField(default=0)
    reasoning = models.BigIntegerField(default=0)
    is_estimated = models.BooleanField(default=False)
    cost_micros = models.BigIntegerField(null=True, blank=True)
    price = models.ForeignKey("sessions_app.Price", null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UsageEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "request_id"], name="one_usage_per_request"),
        ]
        indexes = [models.Index(fields=["owner", "created_at"], name="usage_owner_created")]

    def __str__(self) -> str:
        return f"{self.model}: {self.input} in, {self.output} out"
