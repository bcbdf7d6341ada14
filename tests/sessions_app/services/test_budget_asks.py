"""What a sidecar is answered of a call that goes on for its numbers only."""

from __future__ import annotations

import pytest

from sessions_app.models import Price, Session, UsageEvent
from sessions_app.services import budget_asks
from sidecar.protocol.budget import BudgetAsk, Reserve
from tests.sessions_app.conftest import make_instance
from tests.sessions_app.services.test_budgets import ask, budget, use


@pytest.mark.parametrize(("most", "fits"), [(89, True), (90, False), (10**9, False)])
@pytest.mark.parametrize("measure", ["tokens", "money"])
def test_it_is_told_whether_a_call_that_goes_on_unread_would_leave_anything(
    session: Session, measure: str, most: int, fits: bool
) -> None:
    Price.objects.filter(provider="demo").delete()
    Price.objects.create(provider="demo", pattern="*", valid_from="2026-01-01", input=1, output=1)
    instance = make_instance(session)
    budget(100, measure, session=session)
    use(session, 10)
    wanted = BudgetAsk(id="q", reserve=Reserve(model="demo", input=most - 9, output=9))
    assert budget_asks.answer(instance_id=instance.pk, ask=wanted).fits == fits
    assert not ask(instance).fits


@pytest.mark.parametrize(
    ("prices", "limit", "fits"),
    [
        ({"cached": 0.1}, 101, True),
        ({"cached": 0.1}, 100, False),
        ({"written": 2}, 191, True),
        ({"written": 2}, 190, False),
    ],
    ids=["cheaper from a cache", "and used up", "dearer into a cache", "and used up so"],
)
def test_of_a_call_of_which_nobody_knows_what_it_caches_the_dearest_counts(
    session: Session, prices: dict[str, float], limit: int, fits: bool
) -> None:
    Price.objects.filter(provider="demo").delete()
    Price.objects.create(provider="demo", pattern="*", valid_from="2026-01-01", input=1, output=1, **prices)
    budget(limit, "money", session=session)
    wanted = BudgetAsk(id="q", reserve=Reserve(model="demo", input=90, output=10))
    assert budget_asks.answer(instance_id=make_instance(session).pk, ask=wanted).fits == fits


def test_it_has_to_ask_again_while_what_corrects_an_estimate_is_not_stored(session: Session) -> None:
    instance = make_instance(session)
    budget(100, session=session)
    use(session, 100)
    UsageEvent.objects.update(request_id="r", is_estimated=True)
    wanted = BudgetAsk(id="q", calls=["r"], corrected=["r"])
    assert budget_asks.answer(instance_id=instance.pk, ask=wanted).again
    UsageEvent.objects.update(input=9, output=0, is_estimated=False)
    answer = budget_asks.answer(instance_id=instance.pk, ask=wanted)
    assert not answer.again and not answer.refused
