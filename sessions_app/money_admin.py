"""The admin pages of what use costs and how much of it there may be: prices and budgets."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest

from sessions_app.models import Budget, Price, UsageEvent
from sessions_app.services import budget_changes, prices


@admin.register(Price)
class PriceAdmin(admin.ModelAdmin[Price]):
    """A new price is a new row with the day from which it holds: what was charged before stays explained."""

    list_display = (
        *("provider", "pattern", "valid_from", "above_input", "input", "output", "cached", "written"),
        "checked_on",
    )
    list_filter = ("provider",)
    search_fields = ("pattern",)
    date_hierarchy = "valid_from"
    actions = ("recompute",)

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **options: Any
    ) -> Any:
        """Says what the numbers are."""
        shown = super().formfield_for_dbfield(db_field, request, **options)
        if shown is not None and isinstance(db_field, models.DecimalField):
            shown.help_text = "US dollars for a million tokens."
        if shown is not None and db_field.name == "pattern":
            shown.help_text = "A model's name, or how it begins followed by *."
        return shown

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        """Calls whose cost nobody knew have one from now on, if this is it."""
        super().save_model(request, obj, form, change)
        prices.recompute(UsageEvent.objects.filter(provider=obj.provider, cost_micros__isnull=True))

    @admin.action(description="Compute the cost of calls of these providers anew", permissions=["change"])
    def recompute(self, request: HttpRequest, queryset: models.QuerySet[Price]) -> None:
        providers = set(queryset.values_list("provider", flat=True))
        changed = prices.recompute(UsageEvent.objects.filter(provider__in=providers))
        self.message_user(request, f"{changed} calls have another cost now.", messages.SUCCESS)


@admin.register(Budget)
class BudgetAdmin(admin.ModelAdmin[Budget]):
    """Limits for users, groups, keys and sessions. Money is in millionths of a US dollar, time in seconds."""

    list_display = ("__str__", "measure", "limit", "period", "soft_percent", "owner")
    list_filter = ("measure", "period", ("owner", admin.EmptyFieldListFilter))
    list_select_related = ("owner",)
    raw_id_fields = ("user", "group", "key", "session")
    readonly_fields = ("owner",)

    def save_model(self, request: HttpRequest, obj: Budget, form: Any, change: bool) -> None:
        """What waited for a budget that is raised goes on."""
        super().save_model(request, obj, form, change)
        budget_changes.apply(obj)

    def delete_model(self, request: HttpRequest, obj: Budget) -> None:
        """What waited for it goes on."""
        budget_changes.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Budget]) -> None:
        """The same of several."""
        for budget in queryset:
            budget_changes.delete(budget)
