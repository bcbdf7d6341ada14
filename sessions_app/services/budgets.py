"""Budgets before a call: what binds a session, how much of it is used, and whether it may go on.

What counts is what is stored. A sidecar asks before each call, one call at a time as soon as anything binds
it, and is answered when its own earlier calls are stored: a limit is passed by at most the last call of each
session that shares it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.conf import settings
from django.db.models import Q, Sum
from django.utils import timezone

from keys_app import providers, uses
from sessions_app.models import Budget, Instance, Measure, Period, Session, UsageEvent
from sessions_app.models.instance import AWAKE_STATES
from sessions_app.models.usage import UsageEventQuerySet
from sessions_app.services import instance_time, prices, shapes, usage

Level = Literal["", "soft", "hard"]

_PERIODS = {Period.DAY: "today", Period.MONTH: "this month", Period.TOTAL: "in all"}
_SUBJECTS = {"user": "your account", "group": "your group", "key": "the key", "session": "this session"}


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget and how much of it is used."""

    budget: Budget
    used: int

    @property
    def level(self) -> Level:
        """Whether it is used up (hard), or nearly (soft)."""
        if self.used >= self.budget.limit:
            return "hard"
        return "soft" if self.used * 100 >= self.budget.limit * self.budget.soft_percent else ""

    @property
    def message(self) -> str:
        """How it stands, and who can raise it, as those are told whom it binds."""
        return self.message_of(_SUBJECTS[self.budget.subject_kind])

    def message_of(self, subject: str) -> str:
        """The same with other words for what it is a budget of."""
        budget = self.budget
        amount = f"{_amount(budget, self.used)} of {_amount(budget, budget.limit)}"
        what = "is used up" if self.level == "hard" else "is nearly used up"
        when = _PERIODS[Period(budget.period)]
        return f"The budget of {subject} {what}: {amount} {when}. {_raiser(budget)}"


def of_session(session: Session, *, measures: Iterable[Measure] | None = None) -> list[Standing]:
    """Every budget that binds this session, of these measures, and how it stands."""
    return [Standing(budget, used(budget)) for budget in _binding(session, measures)]


def _binding(session: Session, measures: Iterable[Measure] | None) -> list[Budget]:
    """Of those for keys only the ones for the key that it works with, looked up when there are any."""
    bound = Budget.objects.binding(
        session_id=session.pk, owner_id=session.owner_id, provider=session.provider
    )
    if measures is not None:
        bound = bound.filter(measure__in=list(measures))
    found = list(bound.select_related("owner").order_by("created_at"))
    if any(budget.key_id is not None for budget in found):
        key_id = usage.key_of(session)
        found = [budget for budget in found if budget.key_id in (None, key_id)]
    return found


def used(budget: Budget) -> int:
    """How much of it is used in the present period."""
    now = timezone.now()
    return _COUNTS[Measure(budget.measure)](budget, since(Period(budget.period), now=now))


def since(period: Period, *, now: datetime) -> datetime | None:
    """When the period that `now` is in began; None when it always has."""
    if period == Period.TOTAL:
        return None
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if period == Period.DAY else midnight.replace(day=1)


def refusal(session: Session, standings: Iterable[Standing] | None = None) -> str:
    """Why this session may make no call now, in words; empty when it may."""
    if standings is None:
        standings = of_session(session, measures=OF_CALLS)
    return next(filter(None, (_obstacle(session, standing) for standing in standings)), "")


def _obstacle(session: Session, standing: Standing) -> str:
    """Why this budget lets it make no call now."""
    budget, bound = standing.budget, _SUBJECTS[standing.budget.subject_kind]
    if budget.measure in OF_USE and (login := _uncounted(session)):
        return (
            f"A budget binds {bound}, and what is used with {login} is not counted, so it does not run with "
            f"that. Choose another provider for it. {_who(budget)} take the budget away{_where(budget)}."
        )
    if budget.measure in OF_CALLS and standing.level == "hard":
        return standing.message
    if budget.measure == Measure.MONEY and (model := _unpriced(session, budget)):
        return (
            f"A budget of money binds {bound}, and what {model} costs is not known. "
            "Choose another model, or ask an administrator to enter its price."
        )
    return ""


def notices(session: Session) -> list[shapes.Shape]:
    """What a person has to know of its budgets: those (nearly) used up, and what forbids a call."""
    told = []
    for standing in of_session(session, measures=OF_CALLS):
        if why := _obstacle(session, standing):
            told.append(shape(standing) | {"level": "hard", "message": why})
        elif standing.level:
            told.append(shape(standing))
    return told


def binds_calls(session: Session) -> bool:
    """Whether a call of it has to wait until it is known what is left.

    With a login inside of the box: whether it must make none, for they cannot be counted.
    """
    return bool(_binding(session, OF_USE if _uncounted(session) else OF_CALLS))


def live_uncounted(budget: Budget) -> list[uuid.UUID]:
    """The sessions under this budget that run with what cannot be counted."""
    if budget.measure not in OF_USE:
        return []
    boxed = [provider.id for provider in providers.of_models() if provider.enters_box]
    live = Instance.objects.filter(state__in=AWAKE_STATES).values("session")
    found = Session.objects.filter(sessions_of(budget), provider__in=boxed, pk__in=live).order_by("pk")
    return [session.pk for session in found.distinct() if binds_calls(session)]


def out_of_time(session: Session) -> bool:
    """Whether no instance of it may live now, because its hours are used up."""
    standings = of_session(session, measures=[Measure.INSTANCE_SECONDS])
    return any(standing.level == "hard" for standing in standings)


def live_without_time() -> list[uuid.UUID]:
    """The live sessions whose hours are used up."""
    timed = Budget.objects.filter(measure=Measure.INSTANCE_SECONDS)
    over = [budget for budget in timed if used(budget) >= budget.limit]
    return [
        session.pk
        for session in Session.objects.filter(instances__in=Instance.objects.live()).distinct()
        if over and out_of_time(session)
    ]


def has_no_place(session: Session, *, taken: Iterable[uuid.UUID]) -> bool:
    """Whether a quota of live sessions is full with these sessions, of which it is none."""
    quotas = _binding(session, [Measure.LIVE_SESSIONS])
    ids = list(taken) if quotas else []
    return any(
        Session.objects.filter(sessions_of(quota), pk__in=ids).count() >= quota.limit for quota in quotas
    )


def shape(standing: Standing) -> shapes.Shape:
    """A budget as people see it."""
    budget = standing.budget
    return {
        "id": str(budget.pk),
        "subject_kind": budget.subject_kind,
        "subject": budget.subject_id,
        "measure": budget.measure,
        "limit": budget.limit,
        "period": budget.period,
        "soft_percent": budget.soft_percent,
        "used": standing.used,
        "level": standing.level,
        "message": standing.message if standing.level else "",
        "is_own": budget.owner_id is not None,
    }


def _unpriced(session: Session, budget: Budget) -> str:
    """The session's model, or one that was called in this period under this budget, if it has no price."""
    now = timezone.now()
    if settings.OPENAGENT_BUDGET_UNPRICED:
        return ""
    if not prices.is_known(provider=session.provider, model=session.model, day=now.date()):
        return session.model
    rows = _calls(budget, since(Period(budget.period), now=now)).filter(cost_micros__isnull=True)
    return rows.values_list("model", flat=True).first() or ""


def _calls(budget: Budget, begun: datetime | None) -> UsageEventQuerySet:
    chosen = {
        "user": Q(owner=budget.user_id),
        "group": Q(owner__groups=budget.group_id),
        "key": Q(key=budget.key_id),
        "session": Q(session=budget.session_id),
    }[budget.subject_kind]
    rows = UsageEvent.objects.filter(chosen)
    return rows if begun is None else rows.filter(created_at__gte=begun)


def _tokens(budget: Budget, begun: datetime | None) -> int:
    sums = _calls(budget, begun).aggregate(input=Sum("input"), output=Sum("output"))
    return (sums["input"] or 0) + (sums["output"] or 0)


def _money(budget: Budget, begun: datetime | None) -> int:
    return _calls(budget, begun).aggregate(cost=Sum("cost_micros"))["cost"] or 0


def _seconds(budget: Budget, begun: datetime | None) -> int:
    return instance_time.seconds(of=sessions_of(budget), since=begun)


def _live(budget: Budget, begun: datetime | None) -> int:
    live = Instance.objects.live().exclude(launched_at=None).values("session")
    return Session.objects.filter(sessions_of(budget), pk__in=live).count()


def sessions_of(budget: Budget) -> Q:
    """Which sessions it binds, as a filter of sessions."""
    if budget.key_id is not None:
        return Q(key=budget.key_id) | Q(pk__in=uses.sessions_with(budget.key_id))
    return {
        "user": Q(owner=budget.user_id),
        "group": Q(owner__groups=budget.group_id),
        "session": Q(pk=budget.session_id),
    }[budget.subject_kind]


def _amount(budget: Budget, number: int) -> str:
    if budget.measure == Measure.MONEY:
        return f"${number / 1_000_000:,.2f}"
    if budget.measure == Measure.INSTANCE_SECONDS:
        return f"{number / 3600:,.1f} hours"
    return f"{number:,} {'tokens' if budget.measure == Measure.TOKENS else 'live sessions'}"


def _raiser(budget: Budget) -> str:
    return f"{_who(budget)} raise it{_where(budget)}."


def _who(budget: Budget) -> str:
    return "An administrator can" if budget.owner is None else f"{budget.owner.get_full_name()} can"


def _where(budget: Budget) -> str:
    return "" if budget.owner is None else " under Settings, Usage"


def _uncounted(session: Session) -> str:
    """The name of what it works with, if that is a login inside of the box: the gate sees no call then."""
    return next(
        (each.name for each in providers.of_models() if each.id == session.provider and each.enters_box), ""
    )


_COUNTS: dict[Measure, Callable[[Budget, datetime | None], int]] = {
    Measure.TOKENS: _tokens,
    Measure.MONEY: _money,
    Measure.INSTANCE_SECONDS: _seconds,
    Measure.LIVE_SESSIONS: _live,
}
OF_USE = (Measure.TOKENS, Measure.MONEY)
"""What only the gate can count."""
OF_CALLS = (Measure.TOKENS, Measure.MONEY, Measure.INSTANCE_SECONDS)
"""What forbids a call when it is used up."""
