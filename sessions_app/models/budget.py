"""Budgets and quotas: how much a user, a group, a key or a session may use in a period."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from openagent.accounts.models import User

SUBJECTS = ("user", "group", "key", "session")


class Measure(models.TextChoices):
    """What is counted; the limit of a budget is in this unit."""

    TOKENS = "tokens", "Tokens"
    MONEY = "money", "Money (millionths of a US dollar)"
    INSTANCE_SECONDS = "instance_seconds", "Seconds of instances"
    LIVE_SESSIONS = "live_sessions", "Sessions that are live at once"


class Period(models.TextChoices):
    """When counting begins anew, by days and months in UTC."""

    DAY = "day", "Each day"
    MONTH = "month", "Each month"
    TOTAL = "total", "In all"


class BudgetQuerySet(models.QuerySet["Budget"]):
    """Filters that say whom budgets bind and who may see them."""

    def binding(self, *, session_id: uuid.UUID, owner_id: uuid.UUID, provider: str) -> BudgetQuerySet:
        """Those that this session counts for, and those of all keys of its provider."""
        binds = Q(session=session_id) | Q(user=owner_id) | Q(group__user=owner_id)
        return self.filter(binds | Q(key__provider=provider)).distinct()

    def visible_to(self, user: User) -> BudgetQuerySet:
        """All, to administrators; to others what binds them, their sessions and their keys."""
        if user.has_perm("sessions_app.view_budget"):
            return self
        theirs = Q(user=user.pk) | Q(group__user=user.pk) | Q(key__owner=user.pk)
        mine = theirs | Q(session__owner=user.pk, session__deleted_at=None)
        return self.filter(mine).distinct()


class Budget(models.Model):
    """A limit for exactly one subject. `owner` set it for themselves; without one administrators did.

    `told_level` is how far it was used up when the sessions that it binds were last told.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets"
    )
    group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.CASCADE)
    key = models.ForeignKey("keys_app.ProviderKey", null=True, blank=True, on_delete=models.CASCADE)
    session = models.ForeignKey("sessions_app.Session", null=True, blank=True, on_delete=models.CASCADE)
    measure = models.CharField(max_length=20, choices=Measure.choices)
    limit = models.BigIntegerField(validators=[MinValueValidator(0)])
    period = models.CharField(max_length=10, choices=Period.choices, default=Period.MONTH)
    soft_percent = models.PositiveSmallIntegerField(
        default=80, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="own_budgets"
    )
    told_level = models.CharField(max_length=4, blank=True, default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BudgetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, group=None, key=None, session=None)
                | Q(user=None, group__isnull=False, key=None, session=None)
                | Q(user=None, group=None, key__isnull=False, session=None)
                | Q(user=None, group=None, key=None, session__isnull=False),
                name="budget_of_one_subject",
            )
        ]

    def __str__(self) -> str:
        return f"{self.limit} {self.measure} ({self.period}) for {self.subject_kind} {self.subject_id}"

    @property
    def subject_kind(self) -> str:
        """What it is a budget of: user, group, key or session."""
        return next((kind for kind in SUBJECTS if getattr(self, f"{kind}_id") is not None), "")

    @property
    def subject_id(self) -> str:
        """The id of that."""
        return str(getattr(self, f"{self.subject_kind}_id")) if self.subject_kind else ""
