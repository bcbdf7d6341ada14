"""What a session's box may reach of the network: what its owner wants, within what the administrator allows.

What holds is worked out from rows each time. A live instance is told when that is not what it was told last,
by whoever changed a row and, should that be lost, by the reconciler: both call `tell`.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, TypedDict

import msgspec
from django.db import transaction

from openagent.accounts.models import User
from openagent.lib import hosts
from openagent.lib.errors import AppError
from sessions_app.models import EgressBounds, EgressPolicy, EgressRule, Instance, Permission, Session, Verdict
from sessions_app.models.instance import AWAKE_STATES, InstanceQuerySet
from sessions_app.services import commands
from sidecar.protocol.egress import EGRESS_VERSION, Egress

MOST_HOSTS = 100
"""That one session names itself."""
MOST_RULES = 500
"""Of one user."""


class Forbidden(AppError):
    """The administrator's bounds are narrower."""

    def __init__(self, message: str) -> None:
        super().__init__("egress_forbidden", message, 403)


class Unfit(AppError):
    """What is wanted for a session cannot be; the message says what to do."""

    def __init__(self, error: AppError) -> None:
        told = {"message": error.message, "code": error.code}
        super().__init__(error.code, error.message, 400, errors={"egress": [told]})


class TooManyRules(AppError):
    """A user has decided about as many hosts as can be kept."""

    def __init__(self) -> None:
        message = f"You have decided about {MOST_RULES} hosts, the most there may be: remove some first."
        super().__init__("too_many_egress_rules", message, 409)


class Wish(TypedDict, total=False):
    """What the owner of a session wants; what is left out stays, or is the administrator's default."""

    policy: str
    ask: bool
    hosts: list[str]


def fields(wish: Wish, *, is_new: bool = False) -> dict[str, Any]:
    """The columns of a session that this sets. Unfit, also for more than the administrator allows."""
    bounds = EgressBounds.current()
    if is_new:
        wish = {"policy": bounds.bounded(bounds.default_policy), "ask": bounds.default_ask, **wish}
    changed: dict[str, Any] = {}
    try:
        if "policy" in wish:
            changed["egress_policy"] = policy = EgressPolicy(wish["policy"])
            if policy != bounds.bounded(policy):
                raise Forbidden(f"The administrator allows “{EgressPolicy(bounds.loosest).label}” at most.")
        if "ask" in wish:
            changed["egress_ask"] = wish["ask"]
        if "hosts" in wish:
            changed["egress_hosts"] = hosts.normalise_all(wish["hosts"], most=MOST_HOSTS)
            if changed["egress_hosts"]:
                _check_may_add(bounds)
    except (hosts.BadHost, Forbidden) as error:
        raise Unfit(error) from None
    return changed


def _check_may_add(bounds: EgressBounds) -> None:
    if not bounds.users_add_hosts:
        raise Forbidden("The administrator alone decides here which hosts are allowed.")


def of(session: Session) -> Egress:
    """What holds for this session now."""
    return _within(session, EgressBounds.current(), EgressRule.objects.owned_by(session.owner_id))


def plain(egress: Egress) -> dict[str, Any]:
    """As it is kept in a row."""
    told: dict[str, Any] = msgspec.to_builtins(egress)
    return told


def tell(instances: InstanceQuerySet) -> None:
    """Tells those of them for which something else holds than they were told last."""
    live = _who_can_be_told(instances).select_related("session")
    rows = list(live)
    if not rows:
        return
    bounds = EgressBounds.current()
    rules = _rules_by_owner({row.session.owner_id for row in rows})
    for row in rows:
        if row.egress != plain(_within(row.session, bounds, rules[row.session.owner_id])):
            _tell(row.session_id)


def tell_all_of(owner_id: uuid.UUID) -> None:
    """The same for all that this user has."""
    tell(Instance.objects.filter(session__owner=owner_id))


def tell_everybody() -> None:
    """The same for all: the administrator's bounds, or the registries, are others."""
    tell(Instance.objects.all())


def tell_later(owner_id: uuid.UUID) -> None:
    """When this transaction is over: it may hold a session, and others must not wait for it in turn."""
    transaction.on_commit(partial(tell_all_of, owner_id))


@transaction.atomic
def decide(*, owner_id: uuid.UUID, host: str, verdict: str, session: Session | None = None) -> EgressRule:
    """The user's word on this host for all of their sessions; it replaces an earlier one on the same.

    BadHost, Forbidden or TooManyRules.
    """
    host = hosts.normalise(host)
    rules = EgressRule.objects.owned_by(owner_id)
    if verdict == Verdict.ALWAYS:
        _check_may_add(EgressBounds.current())
    if rules.exclude(host=host).count() >= MOST_RULES:
        raise TooManyRules
    rule = EgressRule(owner_id=owner_id, host=host, verdict=verdict, session=session)
    EgressRule.objects.bulk_create(
        [rule], update_conflicts=True, unique_fields=["owner", "host"], update_fields=["verdict", "session"]
    )
    tell_later(owner_id)
    return rules.get(host=host)


@transaction.atomic
def revoke(rule: EgressRule) -> None:
    """The user has decided nothing about this host any more."""
    owner_id = rule.owner_id
    rule.delete()
    tell_later(owner_id)


def on_answer(*, user: User, permission: Permission, choice: str) -> None:
    """What a person said about a host: all but `once` and `reject` is kept. Forbidden, or as `decide`.

    Called in the transaction that records the answer: what is refused here was not answered.
    """
    host, port = asked_for(permission)
    is_allowed = choice not in {"reject", Verdict.NEVER}
    if is_allowed:
        bounds = EgressBounds.current()
        _check_may_add(bounds)
        if any(hosts.covers(pattern, host, port, any_port=True) for pattern in bounds.named("never")):
            raise Forbidden("The administrator has this host on the list of those that are never allowed.")
    if choice == "session":
        _keep_for_session(permission.session_id, hosts.of(host, port))
    if choice in Verdict.values:
        decide(owner_id=user.pk, host=hosts.of(host, port), verdict=choice, session=permission.session)


def _keep_for_session(session_id: uuid.UUID, pattern: str) -> None:
    """It is there after a sleep too, and can be taken back. One that is too many holds until then only."""
    session = Session.objects.get(pk=session_id)
    if hosts.can_be_named(pattern) and len({*session.egress_hosts, pattern}) <= MOST_HOSTS:
        kept = list(dict.fromkeys([*session.egress_hosts, pattern]))
        Session.objects.filter(pk=session_id).update(egress_hosts=kept)
        tell_later(session.owner_id)


def asked_for(permission: Permission) -> tuple[str, int]:
    """Host and port that the box wants to reach."""
    asked: Mapping[str, Any] = permission.asked
    host, _, port = str(asked.get("host", "")).rpartition(":")
    if host and port.isdecimal() and ":" not in host:
        return host, int(port)
    return str(asked.get("host", "")), 443


def _within(session: Session, bounds: EgressBounds, rules: Iterable[EgressRule]) -> Egress:
    policy = bounds.bounded(session.egress_policy)
    if policy == EgressPolicy.NONE:
        return Egress(policy="none")
    decided: dict[str, list[str]] = {verdict: [] for verdict in Verdict.values}
    for rule in rules:
        decided[rule.verdict].append(rule.host)
    never = sorted({*bounds.named("never"), *decided[Verdict.NEVER]})
    trusted, public = registries(bounds)
    if policy == EgressPolicy.FULL:
        return Egress(policy="full", trusted=trusted, never=never)
    allowed = {*bounds.named("always", "git_hosts"), *public}
    if bounds.users_add_hosts:
        allowed |= {*session.egress_hosts, *decided[Verdict.ALWAYS]}
    ask = session.egress_ask and bounds.users_add_hosts
    return Egress(policy="allow-list", ask=ask, hosts=sorted(allowed), trusted=trusted, never=never)


def registries(bounds: EgressBounds) -> tuple[list[str], list[str]]:
    """Those that the administrator set up, with their ports, and those that must be public, as patterns."""
    trusted = [f"{each['host']}:{each['port']}" for each in bounds.registries if each["is_trusted"]]
    public = [hosts.of(each["host"], each["port"]) for each in bounds.registries if not each["is_trusted"]]
    return sorted(set(trusted)), sorted(set(public))


def _rules_by_owner(owners: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, list[EgressRule]]:
    rules: dict[uuid.UUID, list[EgressRule]] = defaultdict(list)
    for rule in EgressRule.objects.filter(owner__in=owners):
        rules[rule.owner_id].append(rule)
    return rules


def _who_can_be_told(instances: InstanceQuerySet) -> InstanceQuerySet:
    return instances.filter(state__in=AWAKE_STATES, link_version__gte=EGRESS_VERSION)


@transaction.atomic
def _tell(session_id: uuid.UUID) -> None:
    if not Session.objects.hold(session_id):
        return
    # Read when nobody else can tell it: two who do at the same moment must not end with the older word.
    live = _who_can_be_told(Instance.objects.filter(session=session_id)).select_related("session").first()
    if live is None:
        return
    wanted = of(live.session)
    if live.egress != plain(wanted):
        Instance.objects.filter(pk=live.pk).update(egress=plain(wanted))
        commands.give(instance_id=live.pk, order=wanted)
