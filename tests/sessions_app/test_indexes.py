"""What is asked over all sessions, again and again, finds its rows by an index, however long the past is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from sessions_app import metrics
from sessions_app.models import Instance, InstanceState, Permission, PermissionState, Prompt, PromptState
from sessions_app.services import instances

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("index", "query"),
    [
        ("instance_unremoved", lambda: instances.ours().unremoved()),
        ("instance_ready", lambda: Instance.objects.filter(ready_at__isnull=False).order_by("-ready_at")[:9]),
        ("instance_state", lambda: Instance.objects.filter(state=InstanceState.READY)),
        ("instance_state", lambda: metrics._queues()["instances"][0]),
        ("command_undone", lambda: metrics._queues()["commands"][0]),
        ("prompt_queued", lambda: Prompt.objects.filter(state=PromptState.QUEUED)),
        ("permission_pending", lambda: Permission.objects.filter(state=PermissionState.PENDING)),
    ],
)
def test_it_finds_its_rows_by_an_index(index: str, query: Callable[[], Any]) -> None:
    if connection.vendor != "postgresql":
        assert index in query().explain()
        return
    with connection.cursor() as cursor:
        # There are too few rows for any index, and for a preference of one that would do as well.
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "Seq Scan" not in query().explain()
