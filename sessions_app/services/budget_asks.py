"""What a sidecar is answered that asks whether it may make one more call."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from sessions_app.models import Instance, Measure, Session, UsageEvent
from sessions_app.services import budgets, prices, state
from sidecar.protocol.budget import Budget, BudgetAsk, Reserve


def answer(*, instance_id: uuid.UUID, ask: BudgetAsk) -> Budget:
    """Whether one more call may begin; `again` while of calls that it names not all is stored yet."""
    instance = Instance.objects.select_related("session").get(pk=instance_id)
    session, calls = instance.session, set(ask.calls)
    known = UsageEvent.objects.filter(session=session)
    if known.filter(request_id__in=calls).count() < len(calls) or (
        ask.corrected and known.filter(request_id__in=ask.corrected, is_estimated=True).exists()
    ):
        return Budget(id=ask.id, again=True, limited=True)
    standings = budgets.of_session(session, measures=budgets.OF_CALLS)
    refused = budgets.refusal(session, standings)
    if refused:
        with transaction.atomic():
            state.bump_quietly(session.pk)
    fits = ask.reserve is not None and not refused and _fits(session, standings, ask.reserve)
    return Budget(id=ask.id, limited=bool(standings), refused=refused, fits=fits)


def _fits(session: Session, standings: Iterable[budgets.Standing], reserve: Reserve) -> bool:
    """Whether something would be left of each if this were used already, at its dearest."""
    model, today = reserve.model or session.model, timezone.now().date()
    price = prices.find(provider=session.provider, model=model, day=today, input=reserve.input)
    money = price.most(input=reserve.input, output=reserve.output) if price else 0
    costs = {Measure.TOKENS: reserve.input + reserve.output, Measure.MONEY: money}
    return all(
        standing.used + costs.get(Measure(standing.budget.measure), 0) < standing.budget.limit
        for standing in standings
    )
