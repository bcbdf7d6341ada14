"""Numbers for Prometheus that rows tell: instances by state, what waits and for how long."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from openagent.lib import metrics
from sessions_app.models import (
    Command,
    Instance,
    Permission,
    PermissionState,
    PoolMember,
    PoolState,
    Prompt,
    PromptState,
    Session,
)
from sessions_app.models.instance import LIVE_STATES, InstanceState


def register() -> None:
    """Adds the gauges to this process's metrics; they are read at every fetch."""
    metrics.gauge("openagent_instances", "Live instances.", ["state"], live_instances)
    metrics.gauge("openagent_pool_members", "Instances that wait for a session.", ["state"], pool_members)
    metrics.gauge("openagent_sessions", "Sessions that nobody deleted.", [], present_sessions)
    metrics.gauge("openagent_queue_length", "What waits in each queue.", ["queue"], queue_lengths)
    metrics.gauge(
        "openagent_queue_age_seconds",
        "How long the oldest one in each queue has waited; 0 when none waits.",
        ["queue"],
        queue_ages,
    )


def live_instances() -> metrics.Samples:
    """All states of a live instance, also those that none is in."""
    found = Instance.objects.live().order_by().values_list("state").annotate(Count("pk"))
    return {(state.value,): 0.0 for state in LIVE_STATES} | {(state,): float(n) for state, n in found}


def pool_members() -> metrics.Samples:
    """All states of a member, also those that none is in."""
    found = PoolMember.objects.order_by().values_list("state").annotate(Count("pk"))
    return {(state.value,): 0.0 for state in PoolState} | {(state,): float(n) for state, n in found}


def present_sessions() -> metrics.Samples:
    return {(): float(Session.objects.present().count())}


def queue_lengths() -> metrics.Samples:
    return {(name,): float(rows.count()) for name, (rows, _) in _queues().items()}


def queue_ages() -> metrics.Samples:
    """Ages by the clock: for people who watch, nothing is decided by them."""
    now = timezone.now()
    return {(name,): _age(rows, since, now) for name, (rows, since) in _queues().items()}


def _queues() -> dict[str, tuple[QuerySet[Prompt | Instance | Permission | Command], str]]:
    """What waits, and which column says since when. Prompts of a stopped session wait for its owner only."""
    queued = Prompt.objects.due().filter(
        state=PromptState.QUEUED, session__is_paused=False, session__deleted_at=None
    )
    starting = Instance.objects.filter(state__in=(InstanceState.REQUESTED, InstanceState.STARTING))
    pending = Permission.objects.filter(state=PermissionState.PENDING, session__deleted_at=None)
    ordered = Command.objects.filter(done_at=None, instance__state=InstanceState.READY)
    return {
        "prompts": (queued, "created_at"),
        "instances": (starting, "requested_at"),
        "permissions": (pending, "asked_at"),
        "commands": (ordered, "created_at"),
    }


def _age(rows: QuerySet[Prompt | Instance | Permission | Command], since: str, now: datetime) -> float:
    oldest: datetime | None = rows.aggregate(oldest=Min(since))["oldest"]
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
