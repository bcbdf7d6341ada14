"""What becomes of deleted sessions: after a grace their disk and their log are removed, for ever."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from openagent.lib import log
from sessions_app.drivers.base import DriverError
from sessions_app.models import Event, Instance, Permission, Prompt, Session, Terminal
from sessions_app.services import instance_time, instances, storage

_log = log.get(__name__)


def purge() -> int:
    """One pass; how many sessions are gone.

    1. Claim what was deleted a grace ago: nobody can restore it any more. The grace is a promise to people, a
       day long, so it goes by the clock; nothing but when it ends depends on it.
    2. Of each claimed session remove the volume, once nothing of its instances is left.
    3. Delete its rows but one: what was used stays on the bill.

    What cannot be removed now is tried again by the next pass.
    """
    now = timezone.now()
    over = now - timedelta(seconds=settings.OPENAGENT_DELETE_GRACE_SECONDS)
    # One by one: an update of many rows would hold them in an order of its own.
    expired = Session.objects.restorable().filter(deleted_at__lte=over)
    for session_id in list(expired.values_list("pk", flat=True)):
        with transaction.atomic():
            if expired.filter(pk=session_id).update(purge_begun_at=now):
                storage.end(session_id=session_id, now=now)
    gone = 0
    for session in Session.objects.filter(purge_begun_at__isnull=False, purged_at=None):
        with log.context(session=session.pk):
            try:
                gone += _purge(session)
            except DriverError as error:
                _log.warning("session not purged yet", code=error.code)
    return gone


def _purge(session: Session) -> bool:
    of_session = Instance.objects.filter(session=session)
    # One that is there is removed by the reconciler; one of another driver has its disk there.
    if foreign := of_session.exclude(pk__in=instances.ours()).first():
        _log.warning("session not purged: its disk is of another driver", driver=foreign.driver)
        return False
    if of_session.filter(removed_at=None).exists():
        return False
    instances.remove_volume(session.volume)
    with transaction.atomic():
        Session.objects.hold(session.pk)
        instance_time.keep(session)
        for model in (Event, Permission, Prompt, Terminal, Instance):
            model._default_manager.filter(session=session).delete()
        Session.objects.filter(pk=session.pk).update(purged_at=timezone.now(), title="", key=None)
    _log.info("session purged")
    return True
