"""The admin pages of what runs: instances with their logs, members of the pool, and their host."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from openagent.lib.admin import ReadOnlyAdmin
from sessions_app.admin.rows import OfSessionAdmin
from sessions_app.models import Host, Instance, PoolMember
from sessions_app.services import facts, host_logs, hosts, lifecycle, sessions, starts


@admin.register(Host)
class HostAdmin(ReadOnlyAdmin[Host]):
    """What holds boxes on each host, and whether anything may start there."""

    list_display = ("driver", "takes_sessions", "drained_at", "live_instances", "pool", "isolation")
    fields = ("driver", "takes_sessions", "drained_at", "live_instances", "pool", "isolation")
    actions = ("drain", "take_up")

    @admin.display(boolean=True)
    def takes_sessions(self, host: Host) -> bool:
        return host.drained_at is None

    def live_instances(self, host: Host) -> int:
        return Instance.objects.live().filter(driver=host.driver).exclude(launched_at=None).count()

    def pool(self, host: Host) -> int:
        return PoolMember.objects.filter(driver=host.driver).count()

    def isolation(self, host: Host) -> str:
        return _facts() if hosts.is_ours(host) else ""

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sessions_app.change_host")

    @admin.action(description="Drain: nothing starts there, and what runs falls asleep", permissions=["act"])
    def drain(self, request: HttpRequest, queryset: QuerySet[Host]) -> None:
        for host in queryset:
            hosts.drain(host=host)

    @admin.action(description="Take sessions again", permissions=["act"])
    def take_up(self, request: HttpRequest, queryset: QuerySet[Host]) -> None:
        for host in queryset:
            hosts.take_up(host=host)


@admin.register(Instance)
class InstanceAdmin(OfSessionAdmin[Instance]):
    list_display = (
        "id",
        "session",
        "generation",
        "state",
        "driver",
        "requested_at",
        "ended_at",
        "removed_at",
    )
    list_filter = ("state", "driver", "error_code")
    date_hierarchy = "requested_at"
    actions = ("stop", "remove")
    fields = (
        *("id", "session", "generation", "driver", "state", "stop_reason", "error_code", "error_message"),
        *("reached", "first_seq", "stored_seq", "is_salvaged", "last_command", "silent_passes"),
        "linkless_passes",
        *("requested_at", "ready_at", "ended_at", "removed_at", "logs"),
    )

    def get_urls(self) -> list[URLPattern]:
        logs = path("<uuid:pk>/logs/", self.admin_site.admin_view(self.show_logs), name="instance_logs")
        return [logs, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Says above the list what holds boxes here, and how long they take to start."""
        more = {"subtitle": _facts() or None, "starts": starts.summary()}
        return super().changelist_view(request, {**more, **(extra_context or {})})

    @admin.display(description="stages")
    def reached(self, instance: Instance) -> str:
        """Each with its seconds since the instance was asked for."""
        passed = starts.passed(instance.stages)
        return ", ".join(f"{name} {seconds:.2f} s" for name, seconds in passed.items()) or "-"

    @admin.display(description="logs")
    def logs(self, instance: Instance) -> str:
        if instance.removed_at is not None:
            return "They went with it."
        return format_html('<a href="{}">Read them</a>', reverse("admin:instance_logs", args=[instance.pk]))

    def show_logs(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The last lines of both halves. Whoever may ask the engine is asked, and the page comes again."""
        instance = get_object_or_404(Instance, pk=pk)
        if not self.has_act_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            host_logs.ask(instance_id=pk)
            return HttpResponseRedirect(request.path)
        if request.method != "GET":
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": f"Logs of {pk}",
            "opts": self.opts,
            "original": instance,
            "said": host_logs.read(instance_id=pk),
        }
        return render(request, "admin/sessions_app/instance/logs.html", context)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sessions_app.change_instance")

    @admin.action(description="Stop the selected instances", permissions=["act"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        for instance in queryset.live().select_related("session"):  # type: ignore[attr-defined]
            sessions.stop(session=instance.session)

    @admin.action(description="Remove the selected instances at once", permissions=["act"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Instance]) -> None:
        for instance in queryset:
            lifecycle.remove_now(instance_id=instance.pk)


@admin.register(PoolMember)
class PoolMemberAdmin(ReadOnlyAdmin[PoolMember]):
    list_display = ("id", "agent", "state", "driver", "created_at", "ready_at", "error_message")
    list_filter = ("state", "agent", "driver")
    fields = (
        *("id", "agent", "driver", "state", "error_message", "link_version"),
        *("silent_passes", "linkless_passes", "created_at", "ready_at"),
    )


def _facts() -> str:
    """What holds boxes here, in one line."""
    return ", ".join(f"{name}: {value}" for name, value in facts.isolation().items())
