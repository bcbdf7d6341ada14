"""The admin pages of accounts: users are made here, tokens can be taken away."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from openagent.accounts import deactivation, deletion
from openagent.accounts.forms import NewUserForm, SignInForm
from openagent.accounts.models import AccessToken, FirstRun, User, WsTicket
from openagent.lib.admin import ReadOnlyAdmin

admin.site.login_form = SignInForm
admin.site.site_header = admin.site.site_title = "OpenAgent"


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    add_form = NewUserForm
    ordering = ("email",)
    list_display = ("email", "display_name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "display_name")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "display_name", "password")}),
        (
            "May do",
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "display_name", "usable_password", "password1", "password2")}),
    )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            deactivation.deactivate(obj)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        deletion.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            deletion.delete(user)


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyAdmin[AccessToken]):
    """Tokens can be deleted, which ends them at once; nobody can read or make one here."""

    list_display = ("name", "user", "scopes", "created", "expiry", "last_used_at")
    search_fields = ("name", "user__email")
    fields = ("id", "name", "user", "scopes", "created", "expiry", "last_used_at")
    readonly_fields = fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(WsTicket)
class WsTicketAdmin(ReadOnlyAdmin[WsTicket]):
    list_display = ("user", "created_at", "expires_at", "used_at")
    fields = ("user", "token", "created_at", "expires_at", "used_at")


@admin.register(FirstRun)
class FirstRunAdmin(ReadOnlyAdmin[FirstRun]):
    list_display = ("user", "completed_at")
