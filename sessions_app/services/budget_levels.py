"""How far budgets are used up, told to every session that they bind as soon as that changes."""

from __future__ import annotations

import uuid
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from sessions_app import jobs
from sessions_app.models import Budget, Instance, Session
from sessions_app.services import budgets, instances, prompts, state
from sidecar.protocol.budget import BUDGET_VERSION


def counted(session: Session) -> None:
    """A call of this session is being stored, which others wait for: sums are made later, and elsewhere.

    Once for all calls until they begin. They begin with a write to the session's row, which waits for whoever
    stores a call of it: so what finds them due is part of them.
    """
    if budgets.binds_calls(session) and _due(session.pk, False).update(budgets_due=True):
        transaction.on_commit(partial(jobs.look_at_budgets, session.pk))


def _due(session_id: uuid.UUID, is_due: bool) -> QuerySet[Session]:
    return Session.objects.filter(pk=session_id, budgets_due=is_due)


def look(*, session_id: uuid.UUID) -> None:
    """Calls of this session were counted: others that share a budget hear when it is at another level."""
    # One that was deleted meanwhile has used what it used; if none is due somebody has looked already.
    session = Session.objects.filter(pk=session_id).first()
    if session is None or not _due(session_id, True).update(budgets_due=False):
        return
    for standing in budgets.of_session(session, measures=budgets.OF_CALLS):
        if standing.level != standing.budget.told_level:
            tell(budget_id=standing.budget.pk)
    _stop_old(Q(session=session))


def look_at_all() -> None:
    """The same of all budgets: for those that time uses up or sets free, and for what was lost."""
    # One by one, as below.
    for session_id in list(Session.objects.filter(budgets_due=True).values_list("pk", flat=True)):
        _due(session_id, True).update(budgets_due=False)
    for budget in Budget.objects.filter(measure__in=budgets.OF_CALLS):
        tell(budget_id=budget.pk)
    _stop_old(Q())


def _stop_old(of: Q) -> None:
    """Sidecars that are too old to ask before a call are told to stop when they may make no more."""
    old = Instance.objects.live().filter(of, link_version__lt=BUDGET_VERSION)
    for instance in old.select_related("session"):
        if budgets.refusal(instance.session):
            prompts.interrupt(session=instance.session, turn=None)


def tell(*, budget_id: uuid.UUID) -> None:
    """Every session that this budget binds hears of its level, once for each; safe to repeat.

    Those that run with a login inside of the box are stopped: what they use, nobody can count.
    """
    budget = Budget.objects.filter(pk=budget_id).first()
    if budget is None:
        return
    for session_id in budgets.live_uncounted(budget):
        instances.stop(session_id=session_id, reason="uncounted")
    level = budgets.Standing(budget, budgets.used(budget)).level
    if level == budget.told_level:
        return
    bound = Session.objects.present().filter(budgets.sessions_of(budget)).distinct()
    # One by one: who changes many rows at once may wait for somebody who waits for them.
    for session_id in list(bound.order_by("pk").values_list("pk", flat=True)):
        state.bump_quietly(session_id)
    Budget.objects.filter(pk=budget_id, told_level=budget.told_level).update(told_level=level)
