"""The admin pages of sessions: rows to look at; long texts are cut, and nothing can be rewritten."""

from __future__ import annotations

import json
import uuid
from typing import ClassVar, TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from openagent.lib.admin import ReadOnlyAdmin
from sessions_app import egress_admin, money_admin  # noqa: F401  # their pages register themselves
from sessions_app.models import (
    Command,
    CustomAgent,
    Event,
    InstanceUse,
    Permission,
    Prompt,
    Session,
    StorageDay,
    Terminal,
    TerminalPiece,
    UsageEvent,
)
from sessions_app.services import sessions, state

_SHOWN = 500

M = TypeVar("M", bound=models.Model)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"


class OfSessionAdmin(ReadOnlyAdmin[M]):
    """Rows that belong to a session: found by its id, which an index answers, or by its owner's address."""

    search_fields = ("session__owner__email",)
    search_help_text = "The id of a session, or a part of its owner's e-mail address."
    show_full_result_count = False
    list_select_related: ClassVar[tuple[str, ...]] = ("session",)
    session_field = "session"

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[M], search_term: str
    ) -> tuple[models.QuerySet[M], bool]:
        try:
            return queryset.filter(**{self.session_field: uuid.UUID(search_term.strip())}), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)


@admin.register(CustomAgent)
class CustomAgentAdmin(admin.ModelAdmin[CustomAgent]):
    """The one thing that is made here: agents beside the built-in ones."""

    list_display = ("name", "slug", "command", "wires", "is_enabled")

    def get_readonly_fields(self, request: HttpRequest, obj: CustomAgent | None = None) -> tuple[str, ...]:
        # Sessions name their agent by it.
        return ("slug",) if obj else ()


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin[Session]):
    list_display = (
        *("__str__", "owner", "status", "agent", "provider", "model", "disk_use", "updated_at", "deleted_at"),
    )
    list_filter = ("agent", "provider", "mode", "is_paused", ("deleted_at", admin.EmptyFieldListFilter))
    list_select_related = ("owner",)
    search_fields = ("=id", "title", "owner__email")
    date_hierarchy = "created_at"
    actions = ("stop", "delete_softly", "restore")
    fields = (
        *("id", "owner", "title", "status", "agent", "provider", "model", "key", "mode", "is_paused"),
        *("egress_policy", "egress_ask", "egress_hosts"),
        *("generation", "last_seq", "folded_seq", "prompt_count", "state_version"),
        *("idle_passes", "sleeps_at", "kept_until", "disk", "disk_use", "disk_limit", "disk_measured_at"),
        *("created_at", "updated_at", "archived_at", "deleted_at"),
        *("purge_begun_at", "purged_at"),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Session]:
        return state.with_status(super().get_queryset(request))

    def status(self, session: Session) -> str:
        derived: str = session.status  # type: ignore[attr-defined]  # added by with_status
        return derived

    @admin.display(description="disk use", ordering="disk_bytes", empty_value="not measured")
    def disk_use(self, session: Session) -> str | None:
        return None if session.disk_bytes is None else _megabytes(session.disk_bytes)

    @admin.display(empty_value="not enforced")
    def disk_limit(self, session: Session) -> str | None:
        return None if session.disk_limit_bytes is None else _megabytes(session.disk_limit_bytes)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sessions_app.change_session")

    @admin.action(description="Stop what runs in the selected sessions", permissions=["act"])
    def stop(self, request: HttpRequest, queryset: models.QuerySet[Session]) -> None:
        for session in queryset:
            sessions.stop(session=session)

    @admin.action(description="Delete the selected sessions for their owners", permissions=["act"])
    def delete_softly(self, request: HttpRequest, queryset: models.QuerySet[Session]) -> None:
        for session in queryset:
            sessions.delete(session=session)

    @admin.action(description="Restore the selected sessions that were deleted", permissions=["act"])
    def restore(self, request: HttpRequest, queryset: models.QuerySet[Session]) -> None:
        for session in queryset.filter(purge_begun_at=None):
            sessions.restore(session=session)


@admin.register(Prompt)
class PromptAdmin(OfSessionAdmin[Prompt]):
    list_display = ("id", "session", "number", "state", "author", "created_at", "started_at", "ended_at")
    list_filter = ("state",)
    list_select_related = ("session", "author")
    date_hierarchy = "created_at"
    fields = (
        *("id", "session", "author", "number", "shown_text", "state", "instance", "cancel_requested"),
        *("error", "request_id", "created_at", "started_at", "ended_at"),
    )

    @admin.display(description="text")
    def shown_text(self, prompt: Prompt) -> str:
        return _short(prompt.text)


@admin.register(Event)
class EventAdmin(OfSessionAdmin[Event]):
    list_display = ("session", "seq", "seq_end", "gen", "kind", "turn", "ts")
    list_filter = ("kind",)
    fields = ("session", "seq", "seq_end", "gen", "kind", "turn", "ts", "shown_data")

    @admin.display(description="data")
    def shown_data(self, event: Event) -> str:
        return _short(event.data)


@admin.register(Command)
class CommandAdmin(OfSessionAdmin[Command]):
    list_display = ("instance", "number", "verb", "created_at", "done_at", "error")
    list_filter = ("verb",)
    list_select_related = ("instance",)
    search_fields = ("instance__session__owner__email",)
    session_field = "instance__session"
    fields = ("instance", "number", "verb", "shown_data", "created_at", "done_at", "error")

    @admin.display(description="data")
    def shown_data(self, command: Command) -> str:
        return _short(command.data)


@admin.register(Permission)
class PermissionAdmin(OfSessionAdmin[Permission]):
    list_display = ("id", "session", "type", "state", "choice", "answered_by", "asked_at", "answered_at")
    list_filter = ("type", "state", "choice", "by")
    list_select_related = ("session", "answered_by")
    date_hierarchy = "asked_at"
    fields = (
        *(
            "id",
            "session",
            "instance",
            "number",
            "turn",
            "type",
            "shown_asked",
            "state",
            "choice",
            "shown_message",
        ),
        *("shown_answers", "by", "answered_by", "asked_at", "answered_at"),
    )

    @admin.display(description="asked")
    def shown_asked(self, permission: Permission) -> str:
        return _short(permission.asked)

    @admin.display(description="message")
    def shown_message(self, permission: Permission) -> str:
        return _short(permission.message)

    @admin.display(description="answers")
    def shown_answers(self, permission: Permission) -> str:
        return _short(permission.answers)


@admin.register(UsageEvent)
class UsageEventAdmin(OfSessionAdmin[UsageEvent]):
    list_display = ("created_at", "owner", "provider", "model", "input", "output", "cached", "cost_micros")
    list_filter = ("provider", "is_estimated", ("cost_micros", admin.EmptyFieldListFilter))
    list_select_related = ("session", "owner")
    date_hierarchy = "created_at"
    fields = (
        *("session", "owner", "key", "turn", "request_id", "provider", "model"),
        *("input", "output", "cached", "written", "reasoning", "is_estimated", "cost_micros", "price"),
        "created_at",
    )


@admin.register(InstanceUse)
class InstanceUseAdmin(OfSessionAdmin[InstanceUse]):
    list_display = ("session", "owner", "generation", "launched_at", "ended_at")
    list_select_related = ("session", "owner")
    fields = ("session", "owner", "generation", "launched_at", "ended_at")


@admin.register(StorageDay)
class StorageDayAdmin(OfSessionAdmin[StorageDay]):
    list_display = ("session", "owner", "day", "most", "last")
    list_select_related = ("session", "owner")
    date_hierarchy = "day"
    fields = ("session", "owner", "day", "most", "last")


@admin.register(Terminal)
class TerminalAdmin(OfSessionAdmin[Terminal]):
    list_display = ("id", "session", "title", "state", "opened_by", "created_at", "closed_at", "removed_at")
    list_filter = ("state", "is_recorded")
    list_select_related = ("session", "opened_by")
    date_hierarchy = "created_at"
    fields = (
        *("id", "session", "instance", "title", "shown_command", "rows", "cols", "is_recorded", "state"),
        *("reason", "exit_code", "message", "kept_start", "kept_end", "kept_to", "opened_by"),
        *("created_at", "opened_at", "closed_at", "removed_at"),
    )

    @admin.display(description="command")
    def shown_command(self, terminal: Terminal) -> str:
        return _short(terminal.command)


@admin.register(TerminalPiece)
class TerminalPieceAdmin(OfSessionAdmin[TerminalPiece]):
    """Where output is kept, and not what: it is the user's."""

    list_display = ("terminal", "offset")
    list_select_related = ("terminal",)
    search_fields = ("terminal__session__owner__email",)
    fields = ("terminal", "offset")
    session_field = "terminal__session"
