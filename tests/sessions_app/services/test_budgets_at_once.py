"""A call that is stored while sums are about to be made, on PostgreSQL: it is part of them."""

from __future__ import annotations

import pytest
from django.db import connection

from sessions_app.models import Budget, Session, UsageEvent
from sessions_app.services import budget_levels
from tests.sessions_app.services.conftest import Sidecar
from tests.sessions_app.services.test_concurrency import at_the_same_moment

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="row locks are PostgreSQL's"),
]


def test_who_is_about_to_make_them_waits_for_whoever_stores_a_call(
    session: Session, sidecar: Sidecar
) -> None:
    made = Budget.objects.create(limit=100, measure="tokens", period="day", session=session)
    sidecar.get_ready()
    Session.objects.update(budgets_due=True)
    told = {"provider": "demo", "model": "demo", "input": 100, "output": 0}
    at_the_same_moment(
        lambda: sidecar.say("usage", None, request_id="r", **told),
        UsageEvent,
        lambda: budget_levels.look(session_id=session.pk),
    )
    made.refresh_from_db()
    assert made.told_level == "hard"
