"""What providers ask for tokens: a dated table that administrators edit, never a list in the code."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models

_NOT_NEGATIVE = [MinValueValidator(Decimal(0))]


def _per_million(**options: Any) -> models.DecimalField[Any, Any]:
    return models.DecimalField(max_digits=12, decimal_places=6, validators=_NOT_NEGATIVE, **options)


class Price(models.Model):
    """Dollars for a million tokens, from a day (UTC) until the next row for the same models begins.

    `pattern` is a model's name, or how it begins followed by `*`. A row with `above_input` holds for calls
    with more input than that, all of their tokens. Without a price of its own cached input costs what fresh
    input does, and so does input that is written to a cache.
    """

    provider = models.CharField(max_length=40)
    pattern = models.CharField(max_length=200)
    valid_from = models.DateField()
    above_input = models.BigIntegerField("above input tokens", default=0, validators=[MinValueValidator(0)])
    currency = models.CharField(max_length=3, default="USD", editable=False)
    input = _per_million()
    output = _per_million()
    cached = _per_million(null=True, blank=True)
    written = _per_million(null=True, blank=True, verbose_name="written to a cache")
    source = models.CharField(max_length=300, blank=True)
    checked_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["provider", "pattern", "-valid_from", "above_input"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "pattern", "valid_from", "above_input"], name="one_price_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.pattern} from {self.valid_from}"

    def fits(self, model: str) -> bool:
        """Whether this is a price of the model with that name."""
        if self.pattern.endswith("*"):
            return model.startswith(self.pattern[:-1])
        return model == self.pattern

    def cost(self, *, input: int, output: int, cached: int, written: int) -> int:
        """Millionths of a dollar for one call, rounded up: what costs anything is never free."""
        read = self.input if self.cached is None else self.cached
        made = self.input if self.written is None else self.written
        fresh = max(input - cached - written, 0)
        # Dollars for a million tokens are millionths of a dollar for one.
        exact = fresh * self.input + cached * read + written * made + output * self.output
        return int(exact.to_integral_value(rounding=ROUND_CEILING))

    def most(self, *, input: int, output: int) -> int:
        """The same for a call of which nobody knows what it reads from a cache or writes to one."""
        kinds = ((0, 0), (input, 0), (0, input))
        return max(
            self.cost(input=input, output=output, cached=cached, written=written) for cached, written in kinds
        )
