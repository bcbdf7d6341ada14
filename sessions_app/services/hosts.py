"""Draining the host: nothing starts there any more, and what runs falls asleep when its turn is over."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from sessions_app import jobs
from sessions_app.models import Host, InstanceState, Permission, PermissionState, Prompt, Session
from sessions_app.services import instances


def is_ours(host: Host) -> bool:
    """Whether this platform makes instances there now."""
    return host.driver == str(settings.OPENAGENT_DRIVER)


def drain(*, host: Host) -> None:
    """From now on nothing starts there; what runs is let go by the reconciler, turn by turn."""
    if Host.objects.filter(pk=host.pk, drained_at=None).update(drained_at=timezone.now()):
        jobs.reconcile()


def take_up(*, host: Host) -> None:
    """Sessions start there again, first those that wait."""
    if Host.objects.filter(pk=host.pk, drained_at__isnull=False).update(drained_at=None):
        jobs.reconcile()


def attend() -> None:
    """One pass: the host has a row, and while it is drained, whatever does not work stops."""
    host, _ = Host.objects.get_or_create(driver=settings.OPENAGENT_DRIVER)
    if host.drained_at is None:
        return
    running = instances.ours().filter(state__in=(InstanceState.STARTING, InstanceState.READY))
    for session_id in list(running.values_list("session_id", flat=True)):
        _let_go(session_id)


@transaction.atomic
def _let_go(session_id: uuid.UUID) -> None:
    """Stops it unless a turn is open, or a person is asked. Prompts that wait wake it elsewhere, or later."""
    Session.objects.hold(session_id)
    asking = Permission.objects.filter(session=session_id, state=PermissionState.PENDING)
    if not Prompt.objects.open().filter(session=session_id).exists() and not asking.exists():
        instances.stop(session_id=session_id, reason="shutdown")
