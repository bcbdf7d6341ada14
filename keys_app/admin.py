"""The admin pages of keys: who has which, and what was done with them. No key is shown or changed."""

from __future__ import annotations

from typing import Any

import kombu.exceptions
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from keys_app import providers, rotation, services, sharing, tasks
from keys_app.models import KeyUse, ProviderKey, Rewrapping
from openagent.lib import log
from openagent.lib.admin import ReadOnlyAdmin

_log = log.get(__name__)


@admin.register(ProviderKey)
class ProviderKeyAdmin(ReadOnlyAdmin[ProviderKey]):
    """Keys can be deleted, and one's own be shared, by the services, so that running sessions hear of it."""

    list_display = (
        *("provider", "label", "hint", "owner", "status", "is_for_everyone", "created_at", "last_used_at"),
    )
    list_filter = ("provider", "status")
    search_fields = ("owner__email", "label")
    fields = (
        *("id", "owner", "provider", "base_url", "label", "hint", "status", "version", "kek_id"),
        *("created_at", "updated_at", "last_used_at", "box_consent_at", "box_consent_by"),
        *("is_for_everyone", "groups"),
    )
    readonly_fields = fields[:-2]
    filter_horizontal = ("groups",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_own = isinstance(obj, ProviderKey) and obj.owner_id == request.user.pk
        # The only change is to share it, and nobody shares the login of a plan.
        can_be_shared = is_own and not providers.get(obj.provider).login
        return can_be_shared and admin.ModelAdmin.has_change_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: ProviderKey, form: Any, change: bool) -> None:
        """By `save_related`, with the groups."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        given = form.cleaned_data
        sharing.share(form.instance, everyone=given["is_for_everyone"], groups=list(given["groups"]))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def delete_model(self, request: HttpRequest, obj: ProviderKey) -> None:
        services.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ProviderKey]) -> None:
        for key in queryset:
            services.delete(key)


@admin.register(KeyUse)
class KeyUseAdmin(ReadOnlyAdmin[KeyUse]):
    list_display = ("at", "action", "provider", "owner", "user", "key", "session", "generation", "detail")
    list_filter = ("action", "provider")
    search_fields = ("owner__email",)
    date_hierarchy = "at"
    fields = ("at", "action", "detail", "provider", "owner", "user", "key", "session", "generation")


@admin.register(Rewrapping)
class RewrappingAdmin(ReadOnlyAdmin[Rewrapping]):
    """To add one is to start it: keys are wrapped with the first KEK of the settings, in the background."""

    list_display = ("started_at", "started_by", "kek_id", "ended_at", "wrapped", "unreadable", "last_error")
    fields = (
        *("started_at", "started_by", "kek_id", "ended_at", "wrapped", "unreadable", "last_error"),
        "keys_by_kek",
    )
    readonly_fields = ("keys_by_kek",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_fields(self, request: HttpRequest, obj: Rewrapping | None = None) -> tuple[str, ...]:
        return self.fields if obj else ("keys_by_kek",)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Rewrapping:
        return rotation.start(user_id=request.user.pk)

    def save_model(self, request: HttpRequest, obj: Rewrapping, form: Any, change: bool) -> None:
        """It is there already; beat finds it too, should nobody hear this."""
        transaction.on_commit(_nudge)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing belongs to it."""

    @admin.display(description="keys by KEK")
    def keys_by_kek(self, obj: Rewrapping | None) -> str:
        """What is left to do, now."""
        return "\n".join(_line(share) for share in rotation.shares())


def _line(share: rotation.Share) -> str:
    role = "the first" if share.is_first else "to be wrapped anew"
    return f"{share.kek_id}: {share.rows} ({role if share.is_known else 'nobody can open them'})"


def _nudge() -> None:
    try:
        tasks.rewrap.delay()
    except (kombu.exceptions.OperationalError, OSError):
        _log.warning("rewrapping was not handed over; beat will")
