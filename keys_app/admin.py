"""The admin pages of keys: who has which, and what was done with them. No key is shown or changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from keys_app import services
from keys_app.models import KeyUse, ProviderKey
from openagent.lib.admin import ReadOnlyAdmin


@admin.register(ProviderKey)
class ProviderKeyAdmin(ReadOnlyAdmin[ProviderKey]):
    """Keys can be deleted, by the service, so that running sessions forget them."""

    list_display = ("provider", "label", "hint", "owner", "status", "created_at", "last_used_at")
    list_filter = ("provider", "status")
    search_fields = ("owner__email", "label")
    fields = (
        *("id", "owner", "provider", "label", "hint", "status", "version", "kek_id"),
        *("created_at", "updated_at", "last_used_at"),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def delete_model(self, request: HttpRequest, obj: ProviderKey) -> None:
        services.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ProviderKey]) -> None:
        for key in queryset:
            services.delete(key)


@admin.register(KeyUse)
class KeyUseAdmin(ReadOnlyAdmin[KeyUse]):
    list_display = ("at", "action", "provider", "owner", "key", "session", "generation", "detail")
    list_filter = ("action", "provider")
    search_fields = ("owner__email",)
    date_hierarchy = "at"
    fields = ("at", "action", "detail", "provider", "owner", "key", "session", "generation")
