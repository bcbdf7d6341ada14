"""Two who claim the same member of the pool at the same moment, on PostgreSQL: one waits, and gets none."""

from __future__ import annotations

import pytest
from django.db import connection
from pytest_django import Settings

from openagent.accounts.models import User
from sessions_app.models import PoolMember, Session
from sessions_app.services import instances
from tests.sessions_app.services.test_concurrency import at_the_same_moment

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="row locks are PostgreSQL's"),
]


def test_two_who_claim_the_same_member_of_the_pool(session: Session, alice: User, settings: Settings) -> None:
    offers = {"offers": [{"provider": {"id": session.provider}}]}
    common = {"agent": session.agent, "driver": settings.OPENAGENT_DRIVER, "made_for": offers}
    member = PoolMember.objects.create(state="ready", driver_ref={"instance_id": "x"}, **common)
    other = Session.objects.create(owner=alice, model="demo")
    at_the_same_moment(
        lambda: instances.wake(session_id=session.pk), Session, lambda: instances.wake(session_id=other.pk)
    )
    assert session.instances.get().pk == member.pk != other.instances.get().pk
    assert not PoolMember.objects.exists() and Session.objects.get(pk=other.pk).disk == ""
