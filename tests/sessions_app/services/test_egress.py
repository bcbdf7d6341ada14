"""What holds for a box: what its owner wants and decided, within the bounds, and who is told of it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from openagent.accounts.models import User
from openagent.lib import hosts
from sessions_app.models import (
    Command,
    EgressBounds,
    EgressRule,
    Instance,
    InstanceState,
    Permission,
    Session,
)
from sessions_app.services import egress, instances, lifecycle, permissions, sessions
from sidecar.protocol.egress import EGRESS_VERSION
from tests.sessions_app.conftest import make_instance, make_permission, make_session

REGISTRIES = [
    {"tool": "pip", "index": "mirror.lan", "host": "mirror.lan", "port": 8080, "is_trusted": True},
    {"tool": "npm", "index": "npm.example", "host": "tarballs.example", "port": 443, "is_trusted": False},
]


def bound(**fields: Any) -> None:
    EgressBounds.objects.update_or_create(pk=1, defaults=fields)


def linked(session: Session, **fields: Any) -> Instance:
    """A live instance that can be told, and was told what holds now."""
    values = {"link_version": EGRESS_VERSION, "egress": egress.plain(egress.of(session)), **fields}
    return make_instance(session, values.pop("state", InstanceState.READY), **values)


def told(instance: Instance) -> list[dict[str, Any]]:
    orders = Command.objects.filter(instance=instance, verb="egress.configure").order_by("number")
    return list(orders.values_list("data", flat=True))


def ask(session: Session, host: str = "example.com", **fields: Any) -> Permission:
    pk = uuid.uuid4()
    asked = {"permission_id": str(pk), "type": "egress", "title": "Reach it", "host": host}
    return make_permission(session, id=pk, type="egress", asked=asked, **fields)


def test_a_new_session_reaches_registries_and_asks_for_the_rest(session: Session) -> None:
    bound(registries=REGISTRIES, always="*.corp.example", git_hosts="git.example:8443", never="bad.example")
    holds = egress.of(session)
    assert (holds.policy, holds.ask) == ("allow-list", True)
    assert holds.hosts == ["*.corp.example", "git.example:8443", "tarballs.example"]
    assert holds.trusted == ["mirror.lan:8080"]
    assert holds.never == ["bad.example"]


def test_the_owners_own_hosts_and_decisions_count(session: Session, bob: User) -> None:
    Session.objects.filter(pk=session.pk).update(egress_hosts=["a.example"])
    session.refresh_from_db()
    egress.decide(owner_id=session.owner_id, host="B.example", verdict="always")
    egress.decide(owner_id=session.owner_id, host="c.example", verdict="never")
    egress.decide(owner_id=bob.pk, host="bobs.example", verdict="always")
    holds = egress.of(session)
    assert (holds.hosts, holds.never) == (["a.example", "b.example"], ["c.example"])


@pytest.mark.parametrize(
    ("wish", "most", "policy"),
    [
        ("full", "full", "full"),
        ("full", "allow-list", "allow-list"),
        ("full", "none", "none"),
        ("allow-list", "none", "none"),
        ("none", "full", "none"),
    ],
)
def test_nobody_gets_more_than_the_administrator_allows(
    session: Session, wish: str, most: str, policy: str
) -> None:
    session.egress_policy, session.egress_hosts = wish, ["a.example"]
    bound(loosest=most, registries=REGISTRIES, never="bad.example")
    holds = egress.of(session)
    assert holds.policy == policy
    assert holds.never == ([] if policy == "none" else ["bad.example"])
    assert bool(holds.trusted) is (policy != "none")
    assert holds.hosts == (["a.example", "tarballs.example"] if policy == "allow-list" else [])


def test_where_the_administrator_alone_decides_nobody_is_asked(session: Session) -> None:
    egress.decide(owner_id=session.owner_id, host="b.example", verdict="always")
    session.egress_hosts = ["a.example"]
    bound(users_add_hosts=False, always="ours.example")
    holds = egress.of(session)
    assert (holds.ask, holds.hosts) == (False, ["ours.example"])
    with pytest.raises(egress.Forbidden):
        egress.decide(owner_id=session.owner_id, host="c.example", verdict="always")
    egress.decide(owner_id=session.owner_id, host="c.example", verdict="never")


def test_new_sessions_have_the_administrators_defaults_within_the_bound(alice: User) -> None:
    bound(loosest="allow-list", default_policy="full", default_ask=False)
    made = sessions.create(owner=alice)
    assert (made.egress_policy, made.egress_ask) == ("allow-list", False)
    wanted = sessions.create(owner=alice, egress={"policy": "none", "hosts": ["A.example", "a.example"]})
    assert (wanted.egress_policy, wanted.egress_hosts) == ("none", ["a.example"])


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"policy": "full"}, "egress_forbidden"),
        ({"hosts": ["a.example", "https://b.example"]}, "bad_host"),
        ({"hosts": [f"{n}.example" for n in range(egress.MOST_HOSTS + 1)]}, "bad_host"),
    ],
)
def test_what_cannot_be_wanted_is_refused_by_its_field(session: Session, wish: Any, code: str) -> None:
    bound(loosest="allow-list")
    with pytest.raises(egress.Unfit) as refused:
        sessions.change(session=session, egress=wish)
    assert refused.value.code == code
    assert list(refused.value.fields["errors"]) == ["egress"]  # type: ignore[call-overload]


def test_a_claim_carries_it(session: Session) -> None:
    instance = instances.wake(session_id=session.pk)
    assert instance is not None
    claim = Command.objects.get(instance=instance, verb="session.claim")
    assert claim.data["egress"] == instance.egress == egress.plain(egress.of(session))


def test_a_live_box_is_told_when_something_else_holds(session: Session) -> None:
    instance = linked(session)
    sessions.change(session=session, egress={"hosts": ["a.example"]})
    sessions.change(session=session, title="Another title")
    [first] = told(instance)
    assert first["hosts"] == ["a.example"]
    sessions.change(session=session, egress={"policy": "none"})
    assert told(instance)[1]["policy"] == "none"


@pytest.mark.parametrize(
    "fields", [{"link_version": EGRESS_VERSION - 1}, {"state": InstanceState.STOPPING}, {"link_version": 0}]
)
def test_who_cannot_be_told_is_not(session: Session, fields: dict[str, Any]) -> None:
    instance = linked(session, **fields)
    sessions.change(session=session, egress={"policy": "none"})
    assert told(instance) == []


def test_what_changed_before_it_was_linked_is_told_when_it_is_ready(session: Session) -> None:
    instance = linked(session, state=InstanceState.STARTING, link_version=0)
    sessions.change(session=session, egress={"policy": "none"})
    Instance.objects.filter(pk=instance.pk).update(link_version=EGRESS_VERSION)
    lifecycle.on_ready(instance=instance)
    assert [data["policy"] for data in told(instance)] == ["none"]


def test_a_decision_reaches_all_live_boxes_of_its_owner_and_nobody_elses(
    session: Session, bob: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    mine, other, bobs = linked(session), linked(make_session(session.owner)), linked(make_session(bob))
    with django_capture_on_commit_callbacks(execute=True):
        rule = egress.decide(owner_id=session.owner_id, host="a.example", verdict="always")
    with django_capture_on_commit_callbacks(execute=True):
        egress.revoke(rule)
    for instance in (mine, other):
        assert [data["hosts"] for data in told(instance)] == [["a.example"], []]
    assert told(bobs) == []


def test_a_bound_reaches_everybody_even_if_nobody_was_woken(session: Session, bob: User) -> None:
    mine, bobs = linked(session), linked(make_session(bob))
    bound(loosest="none")
    egress.tell_everybody()
    egress.tell_everybody()
    assert [[data["policy"] for data in told(each)] for each in (mine, bobs)] == [["none"], ["none"]]


def test_looking_costs_the_same_for_many(session: Session, bob: User, django_assert_num_queries: Any) -> None:
    for owner in (session.owner, bob, bob):
        linked(make_session(owner))
    with django_assert_num_queries(3):
        egress.tell_everybody()


@pytest.mark.parametrize("verdict", ["always", "never"])
def test_an_answer_for_good_becomes_a_rule(session: Session, alice: User, verdict: str) -> None:
    permission = ask(session, "example.com:8443", instance=linked(session))
    permissions.answer(user=alice, permission=permission, choice=verdict)
    rule = EgressRule.objects.get()
    assert (rule.owner, rule.host, rule.verdict, rule.session) == (
        alice,
        "example.com:8443",
        verdict,
        session,
    )
    assert Command.objects.get(verb="permission.answer").data["choice"] == verdict


def test_the_later_decision_on_a_host_holds(session: Session, alice: User) -> None:
    first = egress.decide(owner_id=alice.pk, host="a.example", verdict="always")
    second = egress.decide(owner_id=alice.pk, host="A.example.", verdict="never", session=session)
    assert (second.pk, second.verdict, second.session) == (first.pk, "never", session)


@pytest.mark.parametrize("choice", ["once", "session", "reject"])
def test_other_answers_leave_no_rule(session: Session, alice: User, choice: str) -> None:
    permissions.answer(user=alice, permission=ask(session, instance=linked(session)), choice=choice)
    assert not EgressRule.objects.exists()


@pytest.mark.parametrize("choice", ["once", "session", "always"])
def test_nobody_allows_what_the_administrator_refused(session: Session, alice: User, choice: str) -> None:
    permission = ask(session, "a.bad.example", instance=linked(session))
    bound(never="*.bad.example")
    with pytest.raises(egress.Forbidden):
        permissions.answer(user=alice, permission=permission, choice=choice)
    permission.refresh_from_db()
    assert permission.state == "pending"
    permissions.answer(user=alice, permission=permission, choice="never")


def test_an_answer_for_the_session_is_there_after_a_sleep_and_can_be_taken_back(
    session: Session, alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    instance = linked(session)
    for host in ("b.example:8443", "a.example:443", "b.example:8443"):
        with django_capture_on_commit_callbacks(execute=True):
            permissions.answer(user=alice, permission=ask(session, host, instance=instance), choice="session")
    session.refresh_from_db()
    assert session.egress_hosts == ["b.example:8443", "a.example"]
    verbs = Command.objects.filter(instance=instance).order_by("number").values_list("verb", flat=True)
    assert list(verbs) == ["permission.answer", "egress.configure"] * 2 + ["permission.answer"]
    sessions.change(session=session, egress={"hosts": []})
    assert told(instance)[-1]["hosts"] == []


def test_a_host_that_cannot_be_named_is_allowed_for_the_session_only(session: Session, alice: User) -> None:
    permission = ask(session, "[2001:db8::1]:443", instance=linked(session))
    with pytest.raises(hosts.BadHost):
        permissions.answer(user=alice, permission=permission, choice="always")
    permissions.answer(user=alice, permission=permission, choice="session")


def test_the_first_answer_wins_and_the_second_leaves_no_rule(session: Session, alice: User) -> None:
    permission = ask(session, instance=linked(session))
    permissions.answer(user=alice, permission=permission, choice="once")
    with pytest.raises(permissions.AlreadyAnswered):
        permissions.answer(user=alice, permission=permission, choice="always")
    assert not EgressRule.objects.exists()


def test_rules_have_a_number_that_is_enough(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "MOST_RULES", 1)
    egress.decide(owner_id=session.owner_id, host="a.example", verdict="always")
    egress.decide(owner_id=session.owner_id, host="a.example", verdict="never")
    with pytest.raises(egress.TooManyRules):
        egress.decide(owner_id=session.owner_id, host="b.example", verdict="never")
