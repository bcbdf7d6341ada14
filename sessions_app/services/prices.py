"""What a model call costs, by the dated table of prices; a model that is not in it has no known cost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import QuerySet

from sessions_app.models import Price, UsageEvent

_AT_ONCE = 500


def find(*, provider: str, model: str, day: date, input: int = 0) -> Price | None:
    """The price of this model on this day (UTC) for a call with so much input; None when none is known.

    A whole name goes before a beginning, a longer beginning before a shorter one, and of those the latest
    row that has begun, with the highest threshold that the call exceeds.
    """
    return _best(Price.objects.filter(provider=provider), model=model, day=day, input=input)


def is_known(*, provider: str, model: str, day: date) -> bool:
    """Whether calls of this model have a cost."""
    return find(provider=provider, model=model, day=day) is not None


def _best(prices: Iterable[Price], *, model: str, day: date, input: int) -> Price | None:
    known = [price for price in prices if price.valid_from <= day and price.fits(model)]
    if not known:
        return None
    pattern, begun = max((_precision(price), price.valid_from) for price in known)
    # Those of one day belong together: each holds from its own threshold on.
    table = [price for price in known if (_precision(price), price.valid_from) == (pattern, begun)]
    held = [price for price in table if price.above_input == 0 or input > price.above_input]
    return max(held, key=lambda price: price.above_input, default=None)


def _precision(price: Price) -> tuple[bool, int]:
    return (not price.pattern.endswith("*"), len(price.pattern))


def charge(row: UsageEvent, *, day: date, prices: Iterable[Price] | None = None) -> None:
    """Fills in what the call of this unsaved row costs on that day; nothing when no price is known."""
    table = Price.objects.filter(provider=row.provider) if prices is None else prices
    row.price = _best(table, model=row.model, day=day, input=row.input)
    row.cost_micros = None
    if row.price is not None:
        row.cost_micros = row.price.cost(
            input=row.input, output=row.output, cached=row.cached, written=row.written
        )


def recompute(rows: QuerySet[UsageEvent]) -> int:
    """Computes these costs anew, with the prices that the table has now for their days; how many changed."""
    tables: dict[str, list[Price]] = {}
    changed: list[UsageEvent] = []
    count = 0
    for row in rows.order_by("pk").iterator(chunk_size=_AT_ONCE):
        before = (row.price_id, row.cost_micros)
        if row.provider not in tables:
            tables[row.provider] = list(Price.objects.filter(provider=row.provider))
        charge(row, day=row.created_at.date(), prices=tables[row.provider])
        if (row.price_id, row.cost_micros) != before:
            changed.append(row)
            count += 1
        if len(changed) >= _AT_ONCE:
            _save(changed)
            changed = []
    _save(changed)
    return count


def _save(rows: list[UsageEvent]) -> None:
    if rows:
        UsageEvent.objects.bulk_update(rows, ["price", "cost_micros"])
