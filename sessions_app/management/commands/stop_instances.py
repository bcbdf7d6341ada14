"""Stops every instance of this installation, letting each flush first: the platform is about to end."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from openagent.lib import log
from sessions_app.drivers.base import DriverError
from sessions_app.models import Instance
from sessions_app.services import instances, lifecycle, pool, pool_tending

_log = log.get(__name__)


class Command(BaseCommand):
    """`manage.py stop_instances --timeout 8`."""

    # Somebody waits for the platform to end.
    requires_system_checks: list[str] = []
    help = "Stops all live instances; they flush what they hold, and wake again with the next prompt."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--timeout", type=float, default=8.0, help="Seconds to wait for all of them.")

    def handle(self, *args: Any, **options: Any) -> None:
        members = list(pool_tending.members())
        for member in members:
            # From here on nobody claims one of them.
            pool.leave(member.pk)
        live = list(Instance.objects.live())
        for instance in live:
            instances.stop(session_id=instance.session_id, reason="shutdown")
        threads = ThreadPoolExecutor(max_workers=16)
        stopping = [
            threads.submit(_attempt, instance.pk, partial(lifecycle.retire, instance_id=instance.pk))
            for instance in live
        ]
        stopping += [
            threads.submit(_attempt, member.pk, partial(pool_tending.dismiss, member)) for member in members
        ]
        waiting = wait(stopping, timeout=options["timeout"])
        threads.shutdown(wait=False, cancel_futures=True)
        if waiting.not_done:
            self.stderr.write(f"{len(waiting.not_done)} of {len(stopping)} instances did not stop in time.")


def _attempt(instance_id: uuid.UUID, act: Callable[[], None]) -> None:
    try:
        act()
    except DriverError as error:
        _log.warning("instance not removed", instance_id=str(instance_id), code=error.code)
    finally:
        connections.close_all()
