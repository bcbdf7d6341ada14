"""Two who change at the same moment what a box may reach, on PostgreSQL: the box ends with what both said."""

from __future__ import annotations

import pytest
from django.db import connection

from openagent.accounts.models import User
from sessions_app.models import Command, EgressBounds, EgressRule, Instance, Session
from sessions_app.services import egress, sessions
from tests.sessions_app.conftest import make_session
from tests.sessions_app.services.test_concurrency import at_the_same_moment
from tests.sessions_app.services.test_egress import linked, told

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="row locks are PostgreSQL's"),
]


def test_a_wish_and_a_decision(session: Session) -> None:
    instance = linked(session)
    at_the_same_moment(
        lambda: sessions.change(session=session, egress={"hosts": ["a.example"]}),
        Command,
        lambda: egress.decide(owner_id=session.owner_id, host="b.example", verdict="always"),
    )
    assert told(instance)[-1]["hosts"] == ["a.example", "b.example"]
    instance.refresh_from_db()
    assert instance.egress == told(instance)[-1]


def test_two_decisions_on_one_host_leave_one(session: Session) -> None:
    at_the_same_moment(
        lambda: egress.decide(owner_id=session.owner_id, host="a.example", verdict="always"),
        EgressRule,
        lambda: egress.decide(owner_id=session.owner_id, host="a.example", verdict="never"),
    )
    assert EgressRule.objects.get().verdict == "never"


def test_two_who_tell_everybody_do_not_wait_for_each_other_in_vain(session: Session, bob: User) -> None:
    instances = [linked(session), linked(make_session(session.owner)), linked(make_session(bob))]
    EgressBounds.objects.create(pk=1, loosest="none")
    at_the_same_moment(egress.tell_everybody, Instance, egress.tell_everybody)
    assert [[data["policy"] for data in told(each)] for each in instances] == [["none"]] * 3
