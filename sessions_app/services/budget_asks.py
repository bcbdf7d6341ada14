"""What a sidecar is answered that asks whether it may make one more call."""

from __future__ import annotations

import uuid

from django.db import transaction

from sessions_app.models import Instance, UsageEvent
from sessions_app.services import budgets, state
from sidecar.protocol.budget import Budget, BudgetAsk


def answer(*, instance_id: uuid.UUID, ask: BudgetAsk) -> Budget:
    """Whether one more call may begin; `again` while calls that it names are not stored yet."""
    instance = Instance.objects.select_related("session").get(pk=instance_id)
    session, calls = instance.session, set(ask.calls)
    stored = UsageEvent.objects.filter(session=session, request_id__in=calls).count()
    if stored < len(calls):
        return Budget(id=ask.id, again=True, limited=True)
    standings = budgets.of_session(session, measures=budgets.OF_CALLS)
    refused = budgets.refusal(session, standings)
    if refused:
        with transaction.atomic():
            state.bump_quietly(session.pk)
    return Budget(id=ask.id, limited=bool(standings), refused=refused)
