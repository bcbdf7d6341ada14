"""The dated table of prices: which row holds for a call, and what the call costs."""

from __future__ import annotations

import importlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db.models import QuerySet

from keys_app import providers
from sessions_app.models import Price, Session, UsageEvent
from sessions_app.services import prices

DAY = date(2026, 11, 1)


def price(pattern: str, input: Any = 1, **fields: Any) -> Price:
    values = {"provider": "p", "valid_from": date(2026, 1, 1), "output": 1, **fields}
    return Price.objects.create(pattern=pattern, input=input, **values)


def found(model: str, day: date = DAY, input: int = 0) -> Price | None:
    return prices.find(provider="p", model=model, day=day, input=input)


def test_the_most_precise_row_holds(db: None) -> None:
    anything, beginning, whole = price("*"), price("m-1*"), price("m-1")
    assert [found(model) for model in ("m-1", "m-1-2026", "x")] == [whole, beginning, anything]
    assert prices.find(provider="q", model="m-1", day=DAY) is None


def test_a_row_holds_from_its_day_on(db: None) -> None:
    old, new = price("m"), price("m", valid_from=DAY)
    assert found("m", date(2026, 10, 31)) == old
    assert found("m", DAY) == new
    assert found("m", date(2025, 12, 31)) is None


def test_a_long_call_has_its_own_price(db: None) -> None:
    short, long = price("m"), price("m", above_input=100)
    assert (found("m", input=100), found("m", input=101)) == (short, long)
    price("m", valid_from=DAY, input=9)
    assert found("m", input=101) != long, "a later row without a threshold replaces both"


@pytest.mark.parametrize(
    ("counts", "cost"),
    [
        ({"input": 1_000_000}, 3_000_000),
        ({"output": 1_000_000}, 15_000_000),
        ({"input": 1_000_000, "cached": 1_000_000}, 300_000),
        ({"input": 1_000_000, "written": 1_000_000}, 3_750_000),
        ({"input": 100, "cached": 40, "written": 10, "output": 5}, 150 + 12 + 38 + 75),
        # Less than a millionth of a dollar is not nothing.
        ({"input": 1, "cached": 1}, 1),
        ({}, 0),
        # More parts than there is of the whole: a provider's mistake makes nothing cheaper than free.
        ({"input": 1, "cached": 10}, 3),
    ],
)
def test_the_cost_of_a_call(counts: dict[str, int], cost: int) -> None:
    row = Price(input=3, output=15, cached="0.3", written="3.75")
    row.clean_fields(exclude=["provider", "pattern", "valid_from"])
    assert row.cost(**{"input": 0, "output": 0, "cached": 0, "written": 0, **counts}) == cost


def test_what_has_no_price_of_its_own_costs_what_input_does() -> None:
    assert Price(input=Decimal(3), output=Decimal(0)).cost(input=10, output=0, cached=4, written=4) == 30


def test_costs_can_be_computed_anew(session: Session) -> None:
    counts = {"input": 10, "output": 1}
    for request_id, model in enumerate(("m", "m", "strange")):
        UsageEvent.objects.create(
            session=session, owner=session.owner, provider="p", model=model, request_id=request_id, **counts
        )
    UsageEvent.objects.update(created_at=datetime(2026, 11, 1, 23, 59, tzinfo=UTC))
    price("m", 2)
    price("m", 50, valid_from=date(2026, 11, 2))
    assert prices.recompute(UsageEvent.objects.all()) == 2
    assert sorted(str(cost) for cost in UsageEvent.objects.values_list("cost_micros", flat=True)) == [
        "21",
        "21",
        "None",
    ]
    assert prices.recompute(UsageEvent.objects.all()) == 0


@pytest.fixture
def shipped(db: None) -> QuerySet[Price]:
    """The prices that there are at first, but for the demo model's."""
    # Other tests may have emptied the tables since the migration ran.
    Price.objects.all().delete()
    importlib.import_module("sessions_app.migrations.0015_first_prices").add(apps, None)
    return Price.objects.exclude(provider="demo")


def test_no_first_price_contradicts_another(shipped: QuerySet[Price]) -> None:
    for row in shipped:
        assert row.input > 0 and row.output >= row.input, row
        assert row.cached is None or 0 < row.cached <= row.input, row
        assert row.written is None or row.written >= row.input, row
        # It is the one that holds: nothing else of its day takes its place.
        model = row.pattern.replace("20*", "2026-11-29")
        held = prices.find(provider=row.provider, model=model, day=row.valid_from, input=row.above_input + 1)
        assert held == row
        # A long call is never cheaper than a short one.
        short = prices.find(provider=row.provider, model=model, day=row.valid_from, input=1)
        assert short is not None and (row.input, row.output) >= (short.input, short.output)
        # Of a model with a date in its name it is the same.
        named = prices.find(
            provider=row.provider,
            model=row.pattern.removesuffix("-20*"),
            day=row.valid_from,
            input=row.above_input + 1,
        )
        assert named is not None
        numbers = ("input", "output", "cached", "written", "source", "checked_on")
        assert [getattr(named, each) for each in numbers] == [getattr(row, each) for each in numbers]


def test_the_first_prices_say_where_they_are_from(shipped: QuerySet[Price]) -> None:
    assert shipped.count() > 20
    assert all(row.source.startswith("https://") for row in shipped)
    assert not shipped.exclude(checked_on=None), "nobody has read them on the page itself"
    today = date(2026, 11, 29)
    for provider in ("anthropic", "openai", "google", "demo"):
        for model in providers.get(provider).models:
            assert prices.is_known(provider=provider, model=model.id, day=today), model.id
    assert not prices.is_known(provider="openai", model="gpt-6-sol-turbo", day=today)
    dated = prices.find(provider="openai", model="gpt-6-sol-2026-09-22", day=today)
    assert dated is not None and dated.input == 2
