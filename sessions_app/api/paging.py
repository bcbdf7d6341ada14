"""Order of the lists, and the filters of them."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet

from openagent.lib.api import CursorPagination
from sessions_app.models import Permission, PermissionState, Prompt, Session
from sessions_app.services.state import Status


class ByChange(CursorPagination):
    """Sessions: the last one in which something happened first."""

    ordering = ("-updated_at", "-id")


class ByNumber(CursorPagination):
    """Prompts: the latest first."""

    ordering = ("-number", "-id")


class ByQuestion(CursorPagination):
    """Permissions: the latest asked first."""

    ordering = ("-number", "-id")


class ByLastEvent(CursorPagination):
    """Hosts: the one that was reached or refused last first."""

    ordering = ("-last_seq", "-last_at")


class _Choices(django_filters.BaseInFilter, django_filters.ChoiceFilter):  # type: ignore[misc]  # untyped
    """One of the choices, or several with commas between."""


class SessionFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """Which sessions to list; archived and deleted ones only when asked for."""

    status = _Choices(choices=Status.choices, help_text="One status, or several with commas between.")
    q = django_filters.CharFilter(method="search", help_text="Part of a title or of a prompt.")
    archived = django_filters.BooleanFilter(method="with_archived", help_text="true: only the archived ones.")
    deleted = django_filters.BooleanFilter(
        method="with_deleted", help_text="true: only deleted ones that can be restored."
    )

    class Meta:
        model = Session
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Session]) -> QuerySet[Session]:
        asked = self.form.cleaned_data
        if not asked.get("deleted"):
            queryset = queryset.filter(deleted_at=None)
        if asked.get("archived") is None and not asked.get("deleted"):
            queryset = queryset.filter(archived_at=None)
        found: QuerySet[Session] = super().filter_queryset(queryset)
        return found

    def search(self, queryset: QuerySet[Session], name: str, value: str) -> QuerySet[Session]:
        asked = Prompt.objects.filter(session=OuterRef("pk"), text__icontains=value)
        return queryset.filter(Q(title__icontains=value) | Exists(asked))

    def with_deleted(self, queryset: QuerySet[Session], name: str, value: bool) -> QuerySet[Session]:
        return queryset.filter(deleted_at__isnull=not value)

    def with_archived(self, queryset: QuerySet[Session], name: str, value: bool) -> QuerySet[Session]:
        return queryset.filter(archived_at__isnull=not value)


class PermissionFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """Which permissions to list."""

    state = django_filters.ChoiceFilter(choices=PermissionState.choices)
    session = django_filters.UUIDFilter(field_name="session_id")

    class Meta:
        model = Permission
        fields: tuple[str, ...] = ()


def validated(serializer: Any) -> Any:
    """What a client sent, when it is valid; the error that names its fields otherwise."""
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data
