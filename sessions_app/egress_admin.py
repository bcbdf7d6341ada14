"""The admin pages of the way out of boxes: the administrator's bounds, and what users have decided."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from openagent.lib.admin import ReadOnlyAdmin
from sessions_app import jobs
from sessions_app.models import EgressBounds, EgressRule
from sessions_app.services import egress


@admin.register(EgressBounds)
class EgressBoundsAdmin(admin.ModelAdmin[EgressBounds]):
    """The one row that says what boxes may reach at most; live ones are told at once."""

    list_display = ("__str__", "loosest", "default_policy", "users_add_hosts", "registries_at")
    fields = (
        *("loosest", "default_policy", "default_ask", "users_add_hosts", "always", "never", "git_hosts"),
        *("found", "problems", "registries_at"),
    )
    readonly_fields = ("found", "problems", "registries_at")
    actions = ("read_registries",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not EgressBounds.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: EgressBounds, form: Any, change: bool) -> None:
        obj.pk = 1
        # The registries may have been read anew since the form was made.
        obj.save(update_fields=form.changed_data if change else None)
        transaction.on_commit(egress.tell_everybody)

    @admin.display(description="registries of this host")
    def found(self, bounds: EgressBounds) -> SafeString | str:
        """With what boxes may do there."""
        rows = (
            (
                each["tool"],
                each["host"],
                each["port"],
                "" if each["is_trusted"] else ", public addresses only",
            )
            for each in bounds.registries
        )
        return format_html_join("", "<div>{}: {}:{}{}</div>", rows) or "None were found yet."

    @admin.display(description="what could not be found out")
    def problems(self, bounds: EgressBounds) -> SafeString | str:
        return (
            format_html_join("", "<div>{}</div>", ((text,) for text in bounds.registry_problems))
            or "Nothing."
        )

    @admin.action(description="Read the registries of this host anew", permissions=["change"])
    def read_registries(self, request: HttpRequest, queryset: QuerySet[EgressBounds]) -> None:
        jobs.learn_registries()
        self.message_user(request, "They are being read. Look again in a moment.")


@admin.register(EgressRule)
class EgressRuleAdmin(ReadOnlyAdmin[EgressRule]):
    """Rules can be taken back, by the service, so that running boxes are told."""

    list_display = ("host", "verdict", "owner", "session", "created_at")
    list_filter = ("verdict",)
    list_select_related = ("owner", "session")
    search_fields = ("host", "owner__email")
    fields = ("id", "owner", "host", "verdict", "session", "created_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def delete_model(self, request: HttpRequest, obj: EgressRule) -> None:
        egress.revoke(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[EgressRule]) -> None:
        for rule in queryset:
            egress.revoke(rule)
