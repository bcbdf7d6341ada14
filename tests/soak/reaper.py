"""Puts sessions to sleep at an agreed moment: `reap_at` lines come in, what the reaper decided goes out.

`python -m tests.soak.reaper` runs on the data of a product and calls the function that the task calls.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import django
from django.conf import settings


def main() -> None:
    """For every line {"sessions": [...], "at": monotonic seconds}: make them idle, wait, reap, tell when.

    Idle for as long as it takes, or for so many "passes" of the reaper.
    """
    from sessions_app.models import Session
    from sessions_app.services import activity

    limit = round(settings.OPENAGENT_IDLE_SECONDS / settings.OPENAGENT_IDLE_PASS_SECONDS)
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        idle = Session.objects.filter(pk__in=order["sessions"])
        idle.update(idle_passes=order.get("passes", limit))
        time.sleep(max(0.0, order["at"] - time.monotonic()))
        begun = time.monotonic()
        reaped = activity.reap()
        print(json.dumps({"begun": begun, "ended": time.monotonic(), "reaped": reaped}), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openagent.settings")
    django.setup()
    main()
