"""First prices, as others quote the pages of providers: none was read on the page itself, so none is checked.

Where the day is not known from which a price holds, an early one stands for it. Prices of long calls follow
the rule that the provider states for its models. Administrators check them and enter their own.
"""

from datetime import date
from decimal import Decimal

from django.db import migrations

ANTHROPIC = ("anthropic", "https://platform.claude.com/docs/en/about-claude/pricing", None)
OPENAI = ("openai", "https://developers.openai.com/api/docs/pricing", None)
GOOGLE = ("google", "https://ai.google.dev/gemini-api/docs/pricing", None)

# Provider, model, valid from, above so much input, then dollars for a million tokens: input, output, cached,
# written to a cache (for five minutes, where that makes a difference).
TABLE = (
    (ANTHROPIC, "claude-fable-5-1", date(2026, 9, 1), 0, "10", "50", "0.25", "12.5"),
    (ANTHROPIC, "claude-fable-5", date(2026, 6, 9), 0, "10", "50", "1", "12.5"),
    (ANTHROPIC, "claude-opus-5-5", date(2026, 9, 22), 0, "4", "20", "0.2", "5"),
    (ANTHROPIC, "claude-opus-5", date(2026, 7, 24), 0, "5", "25", "0.5", "6.25"),
    (ANTHROPIC, "claude-opus-4-8", date(2026, 1, 1), 0, "5", "25", "0.5", "6.25"),
    (ANTHROPIC, "claude-opus-4-7", date(2026, 1, 1), 0, "5", "25", "0.5", "6.25"),
    (ANTHROPIC, "claude-opus-4-6", date(2026, 1, 1), 0, "5", "25", "0.5", "6.25"),
    (ANTHROPIC, "claude-opus-4-5", date(2026, 1, 1), 0, "5", "25", "0.5", "6.25"),
    (ANTHROPIC, "claude-sonnet-5-5", date(2026, 9, 28), 0, "2", "10", "0.2", "2.5"),
    (ANTHROPIC, "claude-sonnet-5-5", date(2026, 10, 7), 0, "2", "10", "0.1", "2.5"),
    (ANTHROPIC, "claude-sonnet-5", date(2026, 6, 1), 0, "2", "10", "0.2", "2.5"),
    (ANTHROPIC, "claude-haiku-5-5", date(2026, 10, 7), 0, "0.1", "0.5", "0.01", "0.125"),
    (ANTHROPIC, "claude-haiku-5-5", date(2026, 10, 7), 100_000, "0.5", "2.5", "0.05", "0.625"),
    (ANTHROPIC, "claude-haiku-4-5", date(2026, 1, 1), 0, "1", "5", "0.1", "1.25"),
    (OPENAI, "gpt-6-astra", date(2026, 9, 3), 0, "10", "50", "1", "12.5"),
    (OPENAI, "gpt-6-astra", date(2026, 9, 3), 272_000, "20", "75", "2", "25"),
    (OPENAI, "gpt-6-sol", date(2026, 9, 22), 0, "2", "10", "0.2", "2.5"),
    (OPENAI, "gpt-6-sol", date(2026, 9, 22), 272_000, "4", "15", "0.4", "5"),
    (OPENAI, "gpt-6-luna", date(2026, 9, 22), 0, "0.1", "0.5", "0.01", "0.125"),
    (OPENAI, "gpt-6-luna", date(2026, 9, 22), 272_000, "0.2", "0.75", "0.02", "0.25"),
    (OPENAI, "gpt-5.6", date(2026, 9, 22), 0, "4", "20", "0.4", None),
    (OPENAI, "gpt-5.6", date(2026, 9, 22), 272_000, "8", "30", "0.8", None),
    (OPENAI, "gpt-5.6-sol", date(2026, 9, 22), 0, "4", "20", "0.4", None),
    (OPENAI, "gpt-5.6-sol", date(2026, 9, 22), 272_000, "8", "30", "0.8", None),
    (GOOGLE, "gemini-3.8-flash", date(2026, 9, 20), 0, "0.75", "3.75", None, None),
    (GOOGLE, "gemini-3.8-flash", date(2027, 1, 1), 0, "1.5", "7.5", None, None),
    (GOOGLE, "gemini-3.5-flash-lite", date(2026, 7, 21), 0, "0.3", "2.5", "0.03", None),
    (GOOGLE, "gemini-3.1-pro-preview", date(2026, 4, 1), 0, "2", "12", None, None),
    (GOOGLE, "gemini-3.1-pro-preview", date(2026, 4, 1), 200_000, "4", "18", None, None),
    (GOOGLE, "gemini-2.5-pro", date(2026, 1, 1), 0, "1.25", "10", None, None),
    (GOOGLE, "gemini-2.5-pro", date(2026, 1, 1), 200_000, "2.5", "15", None, None),
)


def _number(text):
    return None if text is None else Decimal(text)


def add(apps, schema_editor):
    """A model is known by its name and by its name with a date; anything else is another model."""
    price = apps.get_model("sessions_app", "Price")
    rows = [
        price(
            provider="demo",
            pattern="*",
            valid_from=date(2026, 1, 1),
            input=Decimal(0),
            output=Decimal(0),
            source="Scripted here: no provider is called.",
        )
    ]
    for (provider, source, read_on), model, begun, above, *numbers in TABLE:
        asked, written_out, cached, made = map(_number, numbers)
        rows += [
            price(
                provider=provider,
                pattern=pattern,
                valid_from=begun,
                above_input=above,
                input=asked,
                output=written_out,
                cached=cached,
                written=made,
                source=f"{source} (as quoted by others)",
                checked_on=read_on,
            )
            for pattern in (model, f"{model}-20*")
        ]
    price.objects.bulk_create(rows)


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0014_cost")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
